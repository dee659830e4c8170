import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileFault, isMissing } from '../../protocol/file-errors.js'
import type { Context } from '../context.js'
import { errorCode, Failure } from '../exit-codes.js'

/** A command whose stdout is uploaded. It is started on the first read of the stream. */
export interface Producer {
  /** Throws a Failure unless the command exits with 0: its output may be incomplete. */
  readonly stream: AsyncIterable<Buffer>
  /** Kills the command if it is still running, and waits for its exit. */
  close(): Promise<void>
}

/** Prepares a command that inherits stdin and stderr of this process. */
export function createProducer([file = '', ...args]: readonly string[], context: Context): Producer {
  // A terminal sends Ctrl-C to the whole foreground group, and only that group may prompt for passwords. Elsewhere the
  // command leads its own group, so that its children are killed with it.
  const leadsGroup = !context.stdin.isTTY && !context.stderr.isTTY
  let child: ChildProcess | undefined

  async function* read(): AsyncGenerator<Buffer> {
    const running = spawn(file, args, {
      env: context.env,
      stdio: ['inherit', 'pipe', 'inherit'],
      detached: leadsGroup,
    })
    child = running
    const exit = once(running, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    exit.catch(() => {})
    await once(running, 'spawn').catch((error: unknown) => {
      throw startFailure(error, file)
    })
    // Its children may keep stdout open for much longer.
    running.once('exit', (code, signal) => {
      if (code !== 0) running.stdout.destroy(failureOf(file, code, signal))
    })
    yield* running.stdout as AsyncIterable<Buffer>
    const [code, signal] = await exit
    if (code !== 0) throw failureOf(file, code, signal)
  }

  return {
    stream: read(),
    async close() {
      if (child?.pid === undefined || child.exitCode === 0) return
      child.stdout?.destroy()
      if (hasExited(child)) {
        // Kills the children of a failed command.
        if (leadsGroup) end(child.pid, leadsGroup, 'SIGTERM')
        return
      }
      const ended = once(child, 'exit')
      end(child.pid, leadsGroup, 'SIGTERM')
      const timer = setTimeout(end, graceMs, child.pid, leadsGroup, 'SIGKILL')
      await ended
      clearTimeout(timer)
    },
  }
}

function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

function end(pid: number, leadsGroup: boolean, signal: NodeJS.Signals): void {
  try {
    process.kill(leadsGroup ? -pid : pid, signal)
  } catch (error) {
    // Not permitted: it runs as another user, for example by sudo. It ends with its next write to stdout, which is
    // closed.
    if (!['no-process', 'forbidden'].includes(fileFault(error) ?? '')) throw error
  }
}

function failureOf(file: string, code: number | null, signal: NodeJS.Signals | null): Failure {
  const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`
  return new Failure('unexpected', `${file} ${how}: nothing was published.`)
}

function startFailure(error: unknown, file: string): unknown {
  if (isMissing(error)) return new Failure('notFound', `There is no command ${file}.`, { cause: error })
  return new Failure('notAllowed', `${file} cannot be started (${errorCode(error)}).`, { cause: error })
}

const graceMs = 3000
