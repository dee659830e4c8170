import type { JobKind, JobRecord } from '../../../protocol/jobs.js'
import { Problem } from '../../../protocol/problems.js'
import type { Clock } from '../../clock.js'
import { deferred } from '../../concurrency/deferred.js'
import { KeyedMutex } from '../../concurrency/keyed-mutex.js'
import type { Bus } from '../bus.js'
import { RunsElsewhere } from '../runs-elsewhere.js'
import { maxWaiting, slotLimit } from '../slot-limits.js'
import { jobIdUsed, jobRunning } from '../slot-problems.js'
import type { Claim, QueueWait, SlotJob, Slots } from '../slots.js'
import type { Database, Transaction } from './database.js'
import type { NodeLease } from './node-lease.js'
import { retryUntilDone } from './retry.js'
import { nameOfSlots, type SlotKey } from './slot-key.js'
import {
  adopt,
  checkNode,
  freeSlots,
  type Grant,
  grantSlots,
  insertJob,
  keepNode,
  lockSlots,
  move,
  noPlace,
  type Place,
  type SlotRow,
  serverAddress,
  slotRows,
} from './slot-rows.js'
import { SlotWaiters } from './slot-waiters.js'

export interface PostgresSlotsOptions {
  lease: Pick<NodeLease, 'id' | 'own' | 'ownerOf' | 'disown' | 'onBeat'>
  bus: Bus
  jobsPerAccount: number
  clock: Clock
  /** How long a claim waits for earlier changes of the same slots, which a database that is away holds up; default 5 s. */
  patienceMs?: number
  /** Aborted when the server closes. */
  closing: AbortSignal
  onError: (error: unknown) => void
}

/**
 * The slots of all servers. A claim is a row that a unique index admits, and a waiting job is a row too: a release gives the
 * slot to the oldest. Messages only tell servers to look.
 */
export class PostgresSlots implements Slots {
  readonly #database: Database
  readonly #options: PostgresSlotsOptions
  /** What this server does with the slots of a key happens in the order of the calls. */
  readonly #order = new KeyedMutex()
  /** The jobs of this server that hold a slot; their records in the database may be older. */
  readonly #holders = new Map<string, SlotJob>()
  readonly #waiters: SlotWaiters

  constructor(database: Database, options: PostgresSlotsOptions) {
    this.#database = database
    this.#options = options
    this.#waiters = new SlotWaiters(options.bus)
    options.bus.onGap(() => this.#lookAgain())
    options.lease.onBeat(() => this.#lookAgain())
  }

  async claim(job: SlotJob, wait: QueueWait): Promise<Claim> {
    const claimed = await this.#change(job, async (sql, node, rows) => {
      const other = wait.joins && rows.find((row) => isSameElsewhere(row, job, node))
      if (other) return new RunsElsewhere(await serverAddress(sql, other.node!))
      const place = this.#placeFor(job, rows, wait)
      const seq = await insertJob(sql, job, node, place, false)
      if (seq === undefined) throw jobIdUsed(job.id)
      return { place, seq, node }
    })
    if (claimed instanceof RunsElsewhere) {
      this.#waiters.end(job)
      throw claimed
    }
    const { place, seq, node } = claimed
    const lost = this.#options.lease.own(job.id, node)
    const queued = this.#take(job, place, wait)
    // Prevents an unhandled rejection if it rejects before the caller awaits it.
    queued?.catch(() => {})
    return { seq, lost, queued }
  }

  async register(job: SlotJob, seq?: number): Promise<Claim> {
    const isNew = seq === undefined
    const claimed = await this.#change(
      job,
      async (sql, node) => {
        const found = await (isNew ? insertJob(sql, job, node, noPlace, true) : adopt(sql, job, node, seq))
        if (found === undefined) throw jobIdUsed(job.id)
        return { seq: found, node }
      },
      // The job is older than this try.
      isNew ? undefined : (node) => this.#leave(job, node, true),
    )
    this.#waiters.end(job)
    return { seq: claimed.seq, lost: this.#options.lease.own(job.id, claimed.node), queued: null }
  }

  async claimAgain(job: SlotJob, wait: QueueWait, onWanted: () => void): Promise<void> {
    if (!this.#holders.has(job.id)) {
      const place = await this.#change(job, async (sql, node, rows) => {
        const free = this.#placeFor(job, rows, wait)
        await move(sql, job.id, this.#options.lease.ownerOf(job.id) ?? node, free)
        return free
      })
      await this.#take(job, place, wait)
    }
    this.#waiters.watch(job, onWanted)
  }

  async release(job: SlotJob): Promise<void> {
    await this.#release(job, false)
  }

  async handOver(job: SlotJob): Promise<void> {
    await this.#release(job, true)
    this.#options.lease.disown(job.id)
  }

  async holding(kind: JobKind, account: string): Promise<JobRecord[]> {
    return this.#recordsOf((await slotRows(this.#database, { kind, account })).filter(({ isEnded }) => !isEnded))
  }

  isWanted(kind: JobKind, account: string): boolean {
    return this.#waiters.isWanted({ kind, account })
  }

  /** Gives slots that are free to jobs that wait, after the end of a server that held some. */
  async grant(key: SlotKey): Promise<void> {
    const result = await this.#database.begin(async (sql) => {
      return grantSlots(sql, await lockSlots(sql, key), this.#limit(key))
    })
    this.#tell(key, result)
  }

  async #release(job: SlotJob, givesUp: boolean): Promise<void> {
    const { lease } = this.#options
    const node = lease.ownerOf(job.id) ?? lease.id
    this.#waiters.unwatch(job)
    this.#holders.delete(job.id)
    await this.#order.run(nameOfSlots(job), () => retryUntilDone(() => this.#leave(job, node, givesUp), this.#options))
  }

  /** Where a job belongs. Throws if it may not wait, or the queue is full. */
  #placeFor(job: SlotJob, rows: SlotRow[], { waitMs, signal, isBounded = true }: QueueWait): Place {
    const waiting = rows.filter((row) => row.isWaiting)
    const [slot] = freeSlots(rows, this.#limit(job))
    if (slot !== undefined && waiting.length === 0) return { ...noPlace, slot }
    signal.throwIfAborted()
    const blocking = this.#recordsOf(rows).at(-1)
    if (waitMs === 0) throw jobRunning(job.kind, blocking)
    if (isBounded && waiting.filter((row) => row.isBounded).length >= maxWaiting) {
      throw jobRunning(job.kind, blocking, `${maxWaiting} wait already`)
    }
    return { slot: null, isWaiting: true, isBounded }
  }

  /** A change of one job's row. If it may or may not have happened, it is undone. */
  #change<Result>(
    job: SlotJob,
    work: (sql: Transaction, node: number, rows: SlotRow[]) => Promise<Result>,
    undoWork?: (node: number) => Promise<void>,
  ): Promise<Result> {
    const { lease } = this.#options
    const node = lease.id
    const isNew = lease.ownerOf(job.id) === undefined
    return this.#inTime(nameOfSlots(job), async () => {
      this.#waiters.expect(job)
      try {
        const { result } = await this.#database.begin(async (sql) => {
          const registration = keepNode(sql, node)
          const rows = await lockSlots(sql, job, [registration])
          checkNode(await registration)
          return { result: await work(sql, node, rows) }
        })
        return result
      } catch (error) {
        this.#waiters.end(job)
        if (error instanceof Problem) throw error
        const leave = () => (isNew ? this.#forget(job, node) : this.#leave(job, lease.ownerOf(job.id) ?? node))
        const undo = undoWork ? () => undoWork(node) : leave
        void this.#order.run(nameOfSlots(job), () => retryUntilDone(undo, this.#options))
        throw error
      }
    })
  }

  /** Runs the work in its turn. Throws `busy` if that does not come in time; then the work never runs. */
  async #inTime<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const late = deferred<never>()
    let isLate = false
    const cancel = this.#options.clock.after(this.#options.patienceMs ?? 5000, () => {
      isLate = true
      late.reject(new Problem('busy', 'The database does not answer in time. Try again.'))
    })
    const running = this.#order.run(key, async () => {
      cancel()
      return isLate ? late.promise : work()
    })
    return Promise.race([running, late.promise])
  }

  /** Resolves when the job has its slot; null if it has it. */
  #take(job: SlotJob, place: Place, wait: QueueWait): Promise<void> | null {
    if (place.isWaiting) return this.#queue(job, wait)
    this.#waiters.end(job)
    this.#holders.set(job.id, job)
    return null
  }

  async #queue(job: SlotJob, { waitMs, signal }: QueueWait): Promise<void> {
    const late = new AbortController()
    const isTimed = Number.isFinite(waitMs)
    const cancel = isTimed ? this.#options.clock.after(waitMs, () => late.abort()) : () => {}
    const node = this.#options.lease.ownerOf(job.id) ?? this.#options.lease.id
    try {
      await this.#waiters.wait(job, AbortSignal.any([job.signal, signal, late.signal]))
      this.#holders.set(job.id, job)
    } catch (error) {
      this.#waiters.end(job)
      await this.#order.run(nameOfSlots(job), () => retryUntilDone(() => this.#leave(job, node), this.#options))
      if (error !== late.signal.reason) throw error
      throw jobRunning(job.kind, (await this.holding(job.kind, job.account)).at(-1))
    } finally {
      cancel()
      this.#waiters.end(job)
    }
  }

  /** Leaves the slot or the queue, and gives the slot to the next. `givesUp`: also the job. */
  async #leave(job: SlotJob, node: number, givesUp = false): Promise<void> {
    const result = await this.#database.begin(async (sql) => {
      const leaving = sql`
        update jobs set slot = null, turn = null, is_waiting = false, is_bounded = false,
          node = case when ended_at is null and not ${givesUp} then node end
        where id = ${job.id} and node = ${node}`
      return grantSlots(sql, await lockSlots(sql, job, [leaving]), this.#limit(job))
    })
    this.#tell(job, result)
  }

  /** Removes the row of a job that its caller does not know. */
  async #forget(job: SlotJob, node: number): Promise<void> {
    await this.#database`delete from jobs where id = ${job.id} and node = ${node} and ended_at is null`
    await this.grant(job)
  }

  #tell(key: SlotKey, { grants, rows }: { grants: Grant[]; rows: SlotRow[] }): void {
    for (const { id, node } of grants) {
      if (node === this.#options.lease.id) this.#waiters.granted(id)
      else if (node !== null) this.#options.bus.tell(node, { granted: id })
    }
    const isWanted = rows.some(({ isWaiting }) => isWaiting)
    if (!isWanted || grants.length > 0) this.#waiters.tell(key, isWanted)
  }

  /** Messages may have been lost: looks at the rows of what waits here. */
  #lookAgain(): void {
    for (const key of this.#waiters.keys()) {
      this.#waiters.tell(key, true)
      this.#order.run(nameOfSlots(key), () => this.grant(key)).catch(() => {})
    }
    const waiting = this.#waiters.ids()
    if (waiting.length === 0) return
    this.#database<{ id: string }[]>`select id from jobs where id = any(${waiting}) and slot is not null`.then(
      (rows) => {
        for (const { id } of rows) this.#waiters.granted(id)
      },
      // The next look may succeed.
      () => {},
    )
  }

  #recordsOf(rows: SlotRow[]): JobRecord[] {
    return rows.filter(({ slot }) => slot !== null).map(({ id, record }) => this.#holders.get(id)?.record() ?? record)
  }

  #limit({ kind, account }: SlotKey): number {
    return slotLimit(kind, account, this.#options.jobsPerAccount)
  }
}

function isSameElsewhere({ node, isEnded, record }: SlotRow, job: SlotJob, own: number): boolean {
  return node !== null && node !== own && !isEnded && record.file === job.file
}
