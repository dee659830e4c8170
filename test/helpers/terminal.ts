import { execFile, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { eventually } from './eventually.js'
import { cleanEnvironment, programFile } from './program.js'
import { temporaryFolder } from './temporary-folder.js'

export const hasTmux = spawnSync('tmux', ['-V']).status === 0

/** A real terminal with a shell in it, in which `filejobs` is the built program. */
export interface Terminal {
  readonly home: string
  /** Types a line and presses Enter. */
  type(line: string): Promise<void>
  /** Presses a key by its name in tmux, such as `C-c`. */
  press(key: string): Promise<void>
  /** The visible text. */
  screen(): Promise<string>
  /** Waits until the screen matches. */
  shows(pattern: RegExp): Promise<RegExpMatchArray>
}

const run = promisify(execFile)

/** Opens a terminal of 100 columns for the running test, which must have found tmux. */
export async function openTerminal(env: Record<string, string>): Promise<Terminal> {
  const home = await temporaryFolder()
  const socket = `filejobs-${randomUUID()}`
  const tmux = async (...args: string[]) =>
    (await run('tmux', ['-L', socket, '-f', '/dev/null', ...args], { env: { ...cleanEnvironment(home), ...env } }))
      .stdout
  onTestFinished(async () => {
    await tmux('kill-server').catch(() => {})
  })
  await tmux('new-session', '-d', '-x', '100', '-y', '30', '-c', home, 'sh')
  const screen = () => tmux('capture-pane', '-p', '-J')
  const type = async (line: string) => {
    await tmux('send-keys', '-l', line)
    await tmux('send-keys', 'Enter')
  }
  await type(`filejobs() { '${process.execPath}' '${programFile}' "$@"; }; PS1='ready> '; clear`)
  const terminal: Terminal = {
    home,
    type,
    press: async (key) => {
      await tmux('send-keys', key)
    },
    screen,
    async shows(pattern) {
      let last = ''
      try {
        return await eventually(`the terminal shows ${pattern}`, async () => {
          last = await screen()
          return last.match(pattern) ?? undefined
        })
      } catch (error) {
        throw new Error(`${error instanceof Error ? error.message : error} It shows:\n${last}`)
      }
    },
  }
  await terminal.shows(/^ready> $/m)
  return terminal
}
