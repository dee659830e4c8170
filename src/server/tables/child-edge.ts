import { getPriority, setPriority } from 'node:os'

/** What a child process is told by the server, and how it answers. */
export interface ParentLink<Task, Report> {
  report(report: Report): void
  onTask(listener: (task: Task) => void): void
}

/**
 * The edge of a child process, to be called before anything else is loaded. The channel to the server closes with the
 * server, also when that is killed; the child then kills itself, because an exit would wait for the engine's threads.
 * By its niceness (0 to 19) it yields the processor to the server, which has connections to serve.
 */
export function linkToParent<Task, Report>({ niceness }: { niceness: number }): ParentLink<Task, Report> {
  process.on('disconnect', dieAtOnce)
  if (!process.connected) dieAtOnce()
  // Of a server that is nicer itself, only root could take that back.
  setPriority(process.pid, Math.max(niceness, getPriority()))
  return {
    report: (report) => void process.send?.(report, () => {}),
    onTask: (listener) => void process.on('message', (task) => listener(task as Task)),
  }
}

function dieAtOnce(): void {
  process.kill(process.pid, 'SIGKILL')
}
