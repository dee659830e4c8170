import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Problem } from '../../protocol/problems.js'
import { shortageOf } from '../shortage.js'
import { spareMark, taskReceived } from './child-edge.js'

/** A child process that runs the engine. It never survives the server: see `child-edge.ts`. */
export interface Child<Task, Report> {
  /** Sending to an ended process is not an error: `gone` reports it. */
  send(task: Task): void
  /** Whether it has received a task. */
  readonly hasBegun: boolean
  /** Resolves when the process has exited for any reason, or could not be started. */
  readonly gone: Promise<ChildEnd>
  /** Kills it, and resolves when it has exited. Killing an ended process is not an error. */
  kill(): Promise<void>
  onReport(listener: (report: Report) => void): void
}

export interface ChildEnd {
  /** Its last output on stderr. */
  readonly lastWords: string
  /** Why the system could not start it; null if it did. */
  readonly spawnError: Error | null
}

export interface ChildOptions {
  /** A file of this folder, such as `./query-child.js`. */
  script: string
  /** Its working directory; its paths are relative to this, so that no message reveals the location of the data. */
  folder: string
  /** Its memory limit, enforced by the system; null if it runs only the server's own tasks. */
  memoryBytes: number | null
  /** Whether it is to wait for a task that may never come, which its arguments say until then. Default false. */
  isSpare?: boolean
}

export type StartChild = <Task, Report>(options: ChildOptions) => Child<Task, Report>

const lastWordsLength = 4000

/**
 * Starts a script of this folder in a process with an empty environment. It needs 130 ms until it can run a query. It
 * has its own process group, so that a Ctrl-C in the server's terminal does not reach it.
 */
export function startChild<Task, Report>({
  script,
  folder,
  memoryBytes,
  isSpare = false,
}: ChildOptions): Child<Task, Report> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const args = [process.execPath, '--max-old-space-size=1024', path, ...(isSpare ? [spareMark] : [])]
  const [command, argv] = limited(args, memoryBytes)
  const child = spawn(command, argv, {
    cwd: folder,
    env: {},
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  const gone = waitUntilGone(child)
  let hasBegun = false
  child.on('message', (report) => {
    hasBegun ||= report === taskReceived
  })
  return {
    send(task) {
      if (child.connected) child.send(task as object, () => {})
    },
    get hasBegun() {
      return hasBegun
    },
    gone,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
    onReport(listener) {
      child.on('message', (report) => {
        if (report !== taskReceived) listener(report as Report)
      })
    },
  }
}

/**
 * The engine's own limit covers its buffers, but not the memory of functions such as `repeat`; the operating system's
 * covers all. `ulimit -d` is not available on some systems, which then have only the engine's limit.
 */
function limited(argv: string[], memoryBytes: number | null): [string, string[]] {
  if (memoryBytes === null || process.platform === 'win32') return [argv[0]!, argv.slice(1)]
  const script = `ulimit -c 0; ulimit -d ${Math.floor(memoryBytes / 1024)} 2>/dev/null; unset PWD OLDPWD; exec "$0" "$@"`
  return ['/bin/sh', ['-c', script, ...argv]]
}

/** Handles every `error` event of the process and its pipes: an unhandled one would end the server. */
function waitUntilGone(child: ChildProcess): Promise<ChildEnd> {
  let lastWords = ''
  // Without descriptors for its pipes there is no stderr, despite the types.
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-lastWordsLength)
  })
  child.stderr?.on('error', () => {})
  return new Promise((resolve) => {
    child.on('error', (error) => {
      // Later ones report that a signal or a message could not be sent.
      if (child.pid === undefined) resolve({ lastWords: error.message, spawnError: error })
    })
    child.once('exit', () => resolve({ lastWords, spawnError: null }))
  })
}

/** The problem if the process could not be started, usually for lack of processes, memory or descriptors. */
export function notStarted({ spawnError }: ChildEnd): Problem | undefined {
  if (spawnError === null) return undefined
  if (!passing.includes((spawnError as NodeJS.ErrnoException).code ?? '')) {
    return shortageOf(spawnError) ?? new Problem('internal', 'A process cannot be started.', {}, { cause: spawnError })
  }
  const message = 'The server cannot start another process now: try again later.'
  return new Problem('busy', message, {}, { cause: spawnError })
}

const passing = ['EAGAIN', 'ENOMEM']
