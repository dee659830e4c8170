import { Problem } from '../../../protocol/problems.js'
import type { Clock } from '../../clock.js'
import { identifyProcess, type ProcessIdentity } from '../common/process-identity.js'
import { claimLost } from '../storage-fault.js'
import { connectDatabase, type Database, type DatabaseAddress } from './database.js'
import { jsonText } from './json-text.js'
import { endNodes } from './node-end.js'

export interface NodeLeaseOptions {
  clock: Clock
  /** For people. */
  name: string
  /** Of its program; default null. */
  version?: string | null
  /** How long the lease outlives its last renewal; default 6 s, by the clock of the database. */
  leaseMs?: number
  /** The interval of renewals; default 2 s. */
  beatMs?: number
  /** How long after its last renewal a server holds its transfers; default 4.5 s, before others may take its jobs. */
  holdMs?: number
  /** Called once for each series of failures. */
  onError?: (error: unknown) => void
}

/** Registers this server in the database. Others may take its jobs over once it has not renewed its lease for `leaseMs`. */
export async function openNodeLease(address: DatabaseAddress, options: NodeLeaseOptions): Promise<NodeLease> {
  const process = await identifyProcess()
  const defaults = { leaseMs: 6000, beatMs: 2000, holdMs: 4500, version: null, onError: () => {} }
  const lease = new NodeLease(address, process, { ...defaults, ...options })
  await lease.register()
  return lease
}

/**
 * The row that says that this server is alive. The server that deletes it takes its jobs: every write of a job names the
 * row, so that a server that was suspended finds nothing to write to. No clock of a server decides that.
 */
export class NodeLease {
  readonly #options: Required<NodeLeaseOptions>
  readonly #connect: () => Database
  /** Its own connection, so that a renewal never waits for one. */
  #database: Database
  #id = 0
  #address: string | null = null
  /** The jobs that it runs, with the registration under which each was claimed. */
  readonly #jobs = new Map<string, { node: number; lost: AbortController }>()
  readonly #holdListeners = new Set<(isHeld: boolean) => void>()
  readonly #beatListeners = new Set<() => void>()
  #servers = 1
  #isHeld = false
  #beating: Promise<void> | null = null
  #isFailing = false
  #isClosed = false
  #liveSinceMs = 0
  /** When the last renewal began. */
  #renewedAtMs = Number.NEGATIVE_INFINITY
  #cancelHold = () => {}
  #cancelRetry = () => {}
  readonly #cancelBeats: () => void

  constructor(
    address: DatabaseAddress,
    /** Undefined where others cannot look it up. */
    readonly process: ProcessIdentity | undefined,
    options: Required<NodeLeaseOptions>,
  ) {
    this.#options = options
    this.#connect = () => connectDatabase(address, 1)
    this.#database = this.#connect()
    this.#cancelBeats = options.clock.every(options.beatMs, () => void this.beat())
  }

  /** The number of this registration; it changes when the lease was lost. */
  get id(): number {
    return this.#id
  }

  /** Whether transfers have to be held, as if they were paused: the lease may be over soon. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** For how long it has had the lease without a gap. */
  get heldForMs(): number {
    return this.#isHeld ? 0 : this.#options.clock.monotonicMs() - this.#liveSinceMs
  }

  /** How many servers were alive at the last renewal. */
  get servers(): number {
    return this.#servers
  }

  get leaseMs(): number {
    return this.#options.leaseMs
  }

  /** Called when transfers have to be held, and when they may continue. Returns a function that removes the listener. */
  onHold(listener: (isHeld: boolean) => void): () => void {
    this.#holdListeners.add(listener)
    return () => this.#holdListeners.delete(listener)
  }

  /** Called after each renewal. Returns a function that removes the listener. */
  onBeat(listener: () => void): () => void {
    this.#beatListeners.add(listener)
    return () => this.#beatListeners.delete(listener)
  }

  /** Adds a job that was claimed under this registration. The signal aborts when the claim is lost. */
  own(jobId: string, node = this.#id): AbortSignal {
    const lost = new AbortController()
    this.#jobs.set(jobId, { node, lost })
    if (node !== this.#id) lost.abort(claimLost())
    return lost.signal
  }

  /** The registration under which the job was claimed; undefined if this server does not run it. */
  ownerOf(jobId: string): number | undefined {
    return this.#jobs.get(jobId)?.node
  }

  disown(jobId: string): void {
    this.#jobs.delete(jobId)
  }

  async register(): Promise<void> {
    const { name, version, leaseMs, clock } = this.#options
    const startedAt = clock.monotonicMs()
    const [row] = await this.#database<{ id: number }[]>`
      insert into nodes (name, version, address, process, expires_at)
      values (${name}, ${version}, ${this.#address}, ${jsonText(this.process ?? null)}::text::json,
        clock_timestamp() + ${leaseMs} * interval '1 millisecond')
      returning id`
    this.#id = row!.id
    this.#liveSinceMs = startedAt
    this.#renewed(startedAt)
  }

  /** Tells the others where they reach this server: a URL without a path. */
  async announce(address: string): Promise<void> {
    this.#address = address
    await this.#database`update nodes set address = ${address} where id = ${this.#id}`
  }

  /**
   * Resolves if no other server can have taken its jobs since the last renewal; otherwise after the next one, with which the
   * signals of jobs that were taken are aborted. A server that was suspended does not know of it before. Throws
   * `storage-unavailable` if the database does not answer.
   */
  async confirm(): Promise<void> {
    // One that is under way may have begun too long ago.
    for (let attempt = 0; attempt < 2 && !this.#isRecent; attempt++) await this.beat()
    if (!this.#isRecent) throw new Problem('storage-unavailable', 'The database does not answer: try again.')
  }

  get #isRecent(): boolean {
    const { clock, holdMs } = this.#options
    return clock.monotonicMs() - this.#renewedAtMs < holdMs
  }

  /** Renews the lease, or registers anew if it was lost. Never rejects. */
  async beat(): Promise<void> {
    if (this.#isClosed) return
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = null
    })
    await this.#beating
  }

  async #beat(): Promise<void> {
    this.#cancelRetry()
    try {
      const { leaseMs, clock } = this.#options
      const startedAt = clock.monotonicMs()
      const [renewed] = await this.#database<{ servers: number }[]>`
        update nodes set expires_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
        where id = ${this.#id}
        returning (select count(*)::int from nodes where expires_at > clock_timestamp() or id = ${this.#id}) as servers`
      if (renewed) this.#renewed(startedAt)
      else await this.#replace()
      this.#servers = renewed?.servers ?? this.#servers
      this.#isFailing = false
      for (const listener of this.#beatListeners) listener()
    } catch (error) {
      if (this.#isClosed) return
      if (!this.#isFailing) this.#options.onError(error)
      this.#isFailing = true
      this.#cancelRetry = this.#options.clock.after(retryMs, () => void this.beat())
    }
  }

  /** Gives its jobs up: their slots are free at once. */
  async close(): Promise<void> {
    this.#cancelTimers()
    // If it cannot be deleted, it expires.
    await this.#database.begin((sql) => endNodes(sql, [this.#id])).catch(this.#options.onError)
    await this.#database.end({ timeout: 0 })
  }

  /** Ends as a killed process does: without a word to the database. */
  async abandon(): Promise<void> {
    this.#cancelTimers()
    await this.#database.end({ timeout: 0 })
  }

  #cancelTimers(): void {
    this.#isClosed = true
    this.#cancelBeats()
    this.#cancelHold()
    this.#cancelRetry()
  }

  async #replace(): Promise<void> {
    const lost = [...this.#jobs.values()]
    await this.register()
    // Jobs that were claimed meanwhile are those of the new registration.
    for (const { node, lost: controller } of lost) if (node !== this.#id) controller.abort(claimLost())
  }

  #renewed(startedAtMs: number): void {
    const { clock, holdMs } = this.#options
    this.#renewedAtMs = startedAtMs
    this.#cancelHold()
    // From the start of the renewal: the database has counted from a later moment.
    this.#cancelHold = clock.after(startedAtMs + holdMs - clock.monotonicMs(), () => this.#hold())
    if (!this.#isHeld) return
    this.#liveSinceMs = startedAtMs
    this.#setHeld(false)
  }

  #hold(): void {
    this.#setHeld(true)
    if (!this.#beating) return
    // The connection may be dead without a sign of it.
    const dead = this.#database
    this.#database = this.#connect()
    void dead.end({ timeout: 0 }).catch(() => {})
  }

  #setHeld(isHeld: boolean): void {
    this.#isHeld = isHeld
    for (const listener of this.#holdListeners) listener(isHeld)
  }
}

const retryMs = 250
