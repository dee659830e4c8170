import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A process of ours that runs the engine. It dies with us, however we die: see `child-edge.ts`. */
export interface Child<Task, Report> {
  send(task: Task): void
  /** Resolves when the process is gone, whoever ended it, with what it said last on stderr. */
  readonly gone: Promise<{ lastWords: string }>
  /** Ends it at once, and resolves when it is gone. Killing one that is gone is not an error. */
  kill(): Promise<void>
  onReport(listener: (report: Report) => void): void
}

export interface ChildOptions {
  /** Where it runs; the paths that it is given are relative to this, so that no message shows where the data lies. */
  folder: string
  /** The most memory it can have at all, whatever the engine thinks; null where its tasks are only ours. */
  memoryBytes: number | null
}

const lastWordsLength = 4000

/**
 * Starts a script beside this one in a process with an empty environment. Takes 130 ms until it can run a query. It has
 * its own process group, so that a Ctrl-C in the server's terminal leaves it to the server.
 */
export function startChild<Task, Report>(script: string, options: ChildOptions): Child<Task, Report> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const [command, argv] = limited([process.execPath, '--max-old-space-size=1024', path], options.memoryBytes)
  const child = spawn(command, argv, {
    cwd: options.folder,
    env: {},
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  return {
    send: (task) => void child.send(task as object, () => {}),
    gone: waitUntilGone(child),
    async kill() {
      child.kill('SIGKILL')
      await this.gone
    },
    onReport: (listener) => void child.on('message', listener),
  }
}

/**
 * The engine's own limit counts its buffers and not what a function such as `repeat` asks for; the operating system's
 * counts all. `ulimit -d` is refused or without effect on some systems, which then have the engine's limit only.
 */
function limited(argv: string[], memoryBytes: number | null): [string, string[]] {
  if (memoryBytes === null || process.platform === 'win32') return [argv[0]!, argv.slice(1)]
  const script = `ulimit -c 0; ulimit -d ${Math.floor(memoryBytes / 1024)} 2>/dev/null; unset PWD OLDPWD; exec "$0" "$@"`
  return ['/bin/sh', ['-c', script, ...argv]]
}

function waitUntilGone(child: ChildProcess): Promise<{ lastWords: string }> {
  let lastWords = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-lastWordsLength)
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ lastWords: error.message }))
    child.once('exit', () => resolve({ lastWords }))
  })
}
