import { getPriority, setPriority } from 'node:os'

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
  return {
    report: (report) => void process.send?.(report, () => {}),
    onTask: (listener) => void process.on('message', (task) => listener(task as Task)),
  }
}

function dieAtOnce(): void {
  process.kill(process.pid, 'SIGKILL')
}
