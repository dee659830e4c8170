import type { Bus } from './bus.js'
import type { Owners } from './owners.js'
import type { OwnJobs, RemoteJobs } from './remote-jobs.js'

/** A server that has registered. */
export interface PeerServer {
  /** Of its registration. */
  readonly number: number
  readonly name: string
  /** A URL without a path; null as long as it does not listen. */
  readonly address: string | null
  /** Null for one that is older than this record of it. */
  readonly version: string | null
  readonly startedAt: string
  /** Whether its lease holds. */
  readonly isAlive: boolean
  readonly isSelf: boolean
}

/** The other servers that use the same stores. */
export interface Peers {
  readonly jobs: RemoteJobs
  readonly bus: Bus
  readonly owners: Owners
  /** How many servers are alive, with this one: as of some seconds ago. */
  count(): number
  /** All servers, this one included, by their numbers. */
  list(): Promise<PeerServer[]>
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
