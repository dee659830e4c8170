import type { JobKind, JobRecord } from '../../protocol/jobs.js'
import type { Clock } from '../clock.js'
import type { JobHistory } from '../stores/history.js'
import { jobIdUsed } from '../stores/slot-problems.js'
import type { Claim, QueueWait, SlotJob, Slots } from '../stores/slots.js'
import type { JobMap } from './job-map.js'
import { openJobMaps } from './job-maps.js'

export interface LocalSlotsOptions {
  history: Pick<JobHistory, 'has'>
  /** The sequence number of the newest job of earlier runs: claims count on from it. */
  lastSeq: number
  jobsPerAccount: number
  clock: Pick<Clock, 'after'>
}

/** The slots in the memory of the only server: a claim is never lost. */
export class LocalSlots implements Slots {
  readonly #history: Pick<JobHistory, 'has'>
  readonly #maps: Record<JobKind, JobMap>
  /** Ids that the history may not contain yet. */
  readonly #ids = new Set<string>()
  #nextSeq: number

  constructor({ history, lastSeq, jobsPerAccount, clock }: LocalSlotsOptions) {
    this.#history = history
    this.#nextSeq = lastSeq + 1
    this.#maps = openJobMaps(jobsPerAccount, clock)
  }

  async claim(job: SlotJob, wait: QueueWait): Promise<Claim> {
    await this.#takeId(job.id)
    try {
      const map = this.#maps[job.kind]
      const queued = map.tryClaim(job) ? null : map.queueUp(job, wait)
      // Prevents an unhandled rejection if it rejects before the caller awaits it.
      queued?.catch(() => {})
      return this.#newClaim(queued)
    } catch (error) {
      this.#ids.delete(job.id)
      throw error
    }
  }

  async register({ id }: SlotJob, seq?: number): Promise<Claim> {
    if (seq === undefined) await this.#takeId(id)
    return this.#newClaim(null, seq)
  }

  async claimAgain(job: SlotJob, wait: QueueWait, onWanted: () => void): Promise<void> {
    const map = this.#maps[job.kind]
    if (map.watch(job, onWanted) || map.tryClaim(job, onWanted)) return
    await map.queueUp(job, wait, onWanted)
  }

  async release(job: SlotJob): Promise<void> {
    this.#ids.delete(job.id)
    this.#maps[job.kind].release(job)
  }

  async handOver(job: SlotJob): Promise<void> {
    await this.release(job)
  }

  async holding(kind: JobKind, account: string): Promise<JobRecord[]> {
    return this.#maps[kind].holding(account).map((job) => job.record())
  }

  isWanted(kind: JobKind, account: string): boolean {
    return this.#maps[kind].isWanted(account)
  }

  /** Of two requests with the same id at the same time, one gets it. */
  async #takeId(id: string): Promise<void> {
    if (this.#ids.has(id)) throw jobIdUsed(id)
    this.#ids.add(id)
    try {
      if (await this.#history.has(id)) throw jobIdUsed(id)
    } catch (error) {
      this.#ids.delete(id)
      throw error
    }
  }

  #newClaim(queued: Claim['queued'], seq = this.#nextSeq++): Claim {
    return { seq, lost: new AbortController().signal, queued }
  }
}
