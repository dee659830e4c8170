import { getPriority, setPriority } from 'node:os'

/** The argument of a process that has no task yet. */
export const spareMark = 'spare'
/** What a process reports when its first task arrives. */
export const taskReceived = 'task received'

/** The messages between the server and a child process. */
export interface ParentLink<Task, Report> {
  report(report: Report): void
  onTask(listener: (task: Task) => void): void
}

/**
 * The edge of a child process, called before anything else is loaded. The channel to the server closes when the server
 * ends, even if it is killed; the child then kills itself, because an exit would wait for the engine's threads. Its
 * niceness (0 to 19) gives the server priority, which has connections to serve.
 */
export function linkToParent<Task, Report>({ niceness }: { niceness: number }): ParentLink<Task, Report> {
  process.on('disconnect', dieAtOnce)
  if (!process.connected) dieAtOnce()
  // If the server itself is nicer, only root could lower the value.
  setPriority(process.pid, Math.max(niceness, getPriority()))
  process.once('message', () => {
    process.send?.(taskReceived, () => {})
    if (process.argv.at(-1) === spareMark) process.title = process.argv.slice(0, -1).join(' ')
  })
  return {
    report: (report) => void process.send?.(report, () => {}),
    onTask: (listener) => void process.on('message', (task) => listener(task as Task)),
  }
}

function dieAtOnce(): void {
  process.kill(process.pid, 'SIGKILL')
}
