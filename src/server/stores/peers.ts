import type { Bus } from './bus.js'
import type { Owners } from './owners.js'
import type { OwnJobs, RemoteJobs } from './remote-jobs.js'

/** The other servers that use the same stores. */
export interface Peers {
  readonly jobs: RemoteJobs
  readonly bus: Bus
  readonly owners: Owners
  /** How many servers are alive, with this one: as of some seconds ago. */
  count(): number
  /** Tells the others where they reach this server: a URL without a path. */
  announce(address: string): Promise<void>
  /** Answers what other servers want of the jobs of this one, from now on. */
  serve(own: OwnJobs): void
  /**
   * Calls back when transfers have to be held, as if they were paused, because others may take this server's jobs soon; and
   * when they may continue.
   */
  onHold(listener: (isHeld: boolean) => void): void
}
