import { readlink } from 'node:fs/promises'
import { processExists } from '../../../protocol/process-exists.js'
import { startTimeOf } from './process-start.js'

/** A process, as others that see the same processes can look it up. */
export interface ProcessIdentity {
  pid: number
  /** Has the id of this start of the machine, so that it differs on every other machine. */
  startTime: string
  /** Where `pid` is a name: containers of one machine have a namespace each, all with a process 1. */
  namespace: string
}

/** Undefined if the system has no /proc, or one that shows the processes of another namespace. */
export async function identifyProcess(): Promise<ProcessIdentity | undefined> {
  try {
    if ((await readlink('/proc/self')) !== String(process.pid)) return undefined
    const namespace = await readlink('/proc/self/ns/pid')
    const startTime = await startTimeOf(process.pid)
    return startTime ? { pid: process.pid, startTime, namespace } : undefined
  } catch {
    return undefined
  }
}

/**
 * Whether it is proven that a process has ended: `self` sees it if it runs. Nothing is proven after a restart of the machine, of a
 * copied folder's process, nor in another container.
 */
export async function hasEnded(other: ProcessIdentity, self: ProcessIdentity): Promise<boolean> {
  if (other.namespace !== self.namespace || bootOf(other) !== bootOf(self)) return false
  const startTime = await startTimeOf(other.pid)
  if (startTime) return startTime !== other.startTime
  // Where /proc hides the processes of other users, a running one is missing in it.
  return startTime === null && !processExists(other.pid)
}

function bootOf({ startTime }: ProcessIdentity): string {
  return startTime.slice(0, startTime.lastIndexOf('/'))
}
