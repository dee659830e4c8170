import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { type Ended, runHere } from './run-here.js'
import { temporaryFolder } from './temporary-folder.js'

export const programFile = fileURLToPath(new URL('../../bin/filejobs.js', import.meta.url))

/** A program that runs, as it was built: its output so far, and the ways to wait for more. */
export interface Running {
  readonly child: ChildProcess
  readonly stdout: string
  readonly stderr: string
  /** Resolves once the output on stdout and stderr together matches; rejects when the program ends before. */
  says(pattern: RegExp): Promise<RegExpMatchArray>
  /** Resolves with the exit code; a signal's number and 128 where one ended it. */
  ended(): Promise<number>
}

export interface RunOptions {
  env?: Record<string, string>
  /** For stdin, which is empty else. */
  input?: string | Buffer
  cwd?: string
  /** A program that runs it, such as one that sets limits. */
  command?: readonly string[]
}

/** The client with a home of its own, which talks to one server. */
export interface Client {
  readonly home: string
  /** Starts it; with stdin left open where `input` is not given. */
  start(args: readonly string[], options?: RunOptions): Running
  /** Runs it to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended>
  /** The same in the process of the test, which takes a tenth of the time: for tests of commands, not of the process. */
  runHere(args: readonly string[], options?: RunOptions): Promise<Ended>
}

/** A client of the running test, without stored state; with a token it is logged in nevertheless. */
export async function openClient(server?: string, token?: string): Promise<Client> {
  const home = await temporaryFolder()
  const environment = ({ env }: RunOptions = {}) => ({
    ...cleanEnvironment(home),
    ...(server ? { FILEJOBS_SERVER: server } : {}),
    ...(token ? { FILEJOBS_TOKEN: token } : {}),
    ...env,
  })
  const start = (args: readonly string[], options: RunOptions = {}) =>
    startProgram(args, { ...options, env: environment(options) })
  return {
    home,
    start,
    async run(args, options = {}) {
      const running = start(args, { input: '', ...options })
      const code = await running.ended()
      return { code, stdout: running.stdout, stderr: running.stderr }
    },
    runHere: (args, options) => runHere(args, { cwd: home, ...options, env: environment(options) }),
  }
}

/** The variables of a user who has just installed the program. */
export function cleanEnvironment(home: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: home, XDG_CONFIG_HOME: join(home, '.config'), TZ: 'UTC', TERM: 'xterm' }
}

/** Starts the built program; it is ended with the test at the latest. */
export function startProgram(args: readonly string[], options: RunOptions & { env: Record<string, string> }): Running {
  const running = spawnProgram(args, options)
  onTestFinished(async () => {
    running.child.kill('SIGKILL')
    await running.ended()
  })
  return running
}

/** Starts the built program, which the caller ends. */
export function spawnProgram(args: readonly string[], options: RunOptions & { env: Record<string, string> }): Running {
  const [file, ...before] = [...(options.command ?? []), process.execPath]
  const child = spawn(file!, [...before, programFile, ...args], {
    env: options.env,
    cwd: options.cwd ?? options.env.HOME,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close').then(([code, signal]) => exitCode(code, signal))
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  // A program that does not read its stdin must not fail the test that offers it.
  child.stdin.on('error', () => {})
  if (options.input !== undefined) child.stdin.end(options.input)
  return {
    child,
    get stdout() {
      return stdout
    },
    get stderr() {
      return stderr
    },
    says(pattern) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const match = `${stdout}${stderr}`.match(pattern)
          if (match) resolve(match)
        }
        look()
        child.stdout.on('data', look)
        child.stderr.on('data', look)
        closed.then((code) => reject(new Error(`ended with ${code} without saying ${pattern}:\n${stdout}${stderr}`)))
      })
    },
    ended: () => closed,
  }
}

function exitCode(code: unknown, signal: unknown): number {
  if (typeof code === 'number') return code
  return { SIGINT: 130, SIGTERM: 143, SIGKILL: 137, SIGHUP: 129 }[String(signal)] ?? 128
}
