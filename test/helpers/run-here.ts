import { PassThrough, Writable } from 'node:stream'
import type { Context } from '../../dist/cli/context.js'
import { run } from '../../dist/cli/program.js'

/** The output and the exit code of a program that has ended. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunHereOptions {
  env: Record<string, string>
  input?: string | Buffer
  cwd?: string
}

/** The variables that the command reads from this process, although its context holds the environment. */
const ofProcess = ['HOME', 'TZ', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME'] as const

let last: Promise<unknown> = Promise.resolve()

/**
 * Runs a command to its end in this process: all of the program but `main.ts`, without the start of Node. One after
 * another, because each borrows the working folder.
 */
export function runHere(args: readonly string[], options: RunHereOptions): Promise<Ended> {
  const next = last.then(() => borrowProcess(options, () => runWith(args, options)))
  last = next.catch(() => {})
  return next
}

async function runWith(args: readonly string[], { env, input }: RunHereOptions): Promise<Ended> {
  const [stdout, stderr] = [collect(), collect()]
  const context = {
    env,
    stdin: new PassThrough().end(input ?? ''),
    stdout: stdout.stream,
    stderr: stderr.stream,
    interrupt: { listen: () => () => {}, onHangUp: () => () => {} },
  } as unknown as Context
  const code = await run([...args], context)
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

async function borrowProcess<T>({ env, cwd }: RunHereOptions, work: () => Promise<T>): Promise<T> {
  const [folder, before] = [process.cwd(), ofProcess.map((name) => process.env[name])]
  // The home of this process would be used for a folder that is not given: it is read only once.
  const given: Record<string, string> = {
    XDG_CACHE_HOME: `${env.HOME}/.cache`,
    XDG_CONFIG_HOME: `${env.HOME}/.config`,
    XDG_STATE_HOME: `${env.HOME}/.local/state`,
    ...env,
  }
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  for (const name of ofProcess) set(name, given[name])
  if (cwd) process.chdir(cwd)
  try {
    return await work()
  } finally {
    process.chdir(folder)
    ofProcess.forEach((name, at) => void set(name, before[at]))
  }
}

function collect() {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}
