import { createHash, randomUUID } from 'node:crypto'
import type { Clock } from '../../clock.js'
import { Coalescer } from '../../concurrency/coalescer.js'
import type { Bus, BusMessage } from '../bus.js'
import { connectDatabase, type Database, type DatabaseAddress } from './database.js'
import type { NodeLease } from './node-lease.js'

export interface PostgresBusOptions {
  lease: Pick<NodeLease, 'id' | 'onBeat'>
  clock: Pick<Clock, 'monotonicMs'>
  /** How long it may hear nothing, not even itself, before it listens anew; default 5 s. */
  silenceMs?: number
}

/** Listens for the messages of other servers. */
export async function openPostgresBus(address: DatabaseAddress, options: PostgresBusOptions): Promise<PostgresBus> {
  const database = connectDatabase(address, 1)
  try {
    const bus = new PostgresBus(address, database, await channelOf(database), { silenceMs: 5000, ...options })
    await bus.listen()
    return bus
  } catch (error) {
    await database.end({ timeout: 0 })
    throw error
  }
}

/** Tells all servers of a database, by a program that is none. */
export async function notifyServers(database: Database, message: BusMessage): Promise<void> {
  const payload: Payload = { token: randomUUID(), from: 0, messages: [['all', message]] }
  await database`select pg_notify(${await channelOf(database)}, ${JSON.stringify(payload)})`
}

/**
 * LISTEN and NOTIFY on one channel for all servers of a schema. NOTIFY takes a lock of the whole PostgreSQL server at its
 * commit, so that it is never part of another transaction, and messages of the same time share one.
 */
export class PostgresBus implements Bus {
  readonly #address: DatabaseAddress
  readonly #database: Database
  readonly #channel: string
  readonly #options: Required<PostgresBusOptions>
  /** Tells its own messages from those of others, also under another registration. */
  readonly #token = randomUUID()
  readonly #messageListeners = new Set<(message: BusMessage, from: number) => void>()
  readonly #gapListeners = new Set<() => void>()
  readonly #sending = new Coalescer<Item>((items) => this.#send(items))
  readonly #endBeats: () => void
  #listening: Database | null = null
  #heardAtMs: number
  /** Whether messages could not be sent, which the others are told with the next ones. */
  #hasLost = false
  #isClosed = false

  constructor(address: DatabaseAddress, database: Database, channel: string, options: Required<PostgresBusOptions>) {
    this.#address = address
    this.#database = database
    this.#channel = channel
    this.#options = options
    this.#heardAtMs = options.clock.monotonicMs()
    this.#endBeats = options.lease.onBeat(() => this.#check())
  }

  tell(to: number | 'all', message: BusMessage): void {
    this.#enqueue([to, message])
  }

  onMessage(listener: (message: BusMessage, from: number) => void): () => void {
    this.#messageListeners.add(listener)
    return () => this.#messageListeners.delete(listener)
  }

  onGap(listener: () => void): () => void {
    this.#gapListeners.add(listener)
    return () => this.#gapListeners.delete(listener)
  }

  /** Replaces the connection that listens, if there is one. */
  async listen(): Promise<void> {
    const [old, fresh] = [this.#listening, connectDatabase(this.#address, 1)]
    this.#listening = fresh
    void old?.end({ timeout: 0 }).catch(() => {})
    let isFirst = old === null
    await fresh.listen(
      this.#channel,
      (payload) => this.#receive(payload),
      // Also after each loss of the connection: the client library listens again by itself.
      () => {
        this.#heardAtMs = this.#options.clock.monotonicMs()
        if (!isFirst) for (const listener of this.#gapListeners) listener()
        isFirst = false
      },
    )
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#endBeats()
    await this.#sending.idle()
    await Promise.all([this.#listening?.end({ timeout: 0 }), this.#database.end({ timeout: 0 })])
  }

  /** A connection may be dead, or lead through a pooler that delivers nothing, without a sign of it: only silence tells. */
  #check(): void {
    const silentMs = this.#options.clock.monotonicMs() - this.#heardAtMs
    if (silentMs > this.#options.silenceMs) void this.listen().catch(() => {})
    this.#enqueue(null)
  }

  #enqueue(item: Item): void {
    // Any message may be lost.
    if (!this.#isClosed) void this.#sending.run(item).catch(() => {})
  }

  async #send(items: Item[]): Promise<void> {
    const hasLost = this.#hasLost
    const head = { token: this.#token, from: this.#options.lease.id, ...(hasLost ? ({ hasLost } as const) : {}) }
    const payloads = packed(items.filter((item) => item !== null)).map((messages) =>
      JSON.stringify({ ...head, messages } satisfies Payload),
    )
    this.#hasLost = true
    await this.#database`select pg_notify(${this.#channel}, payload) from unnest(${payloads}::text[]) as payload`
    this.#hasLost = false
  }

  #receive(payload: string): void {
    const { token, from, messages, hasLost } = JSON.parse(payload) as Payload
    this.#heardAtMs = this.#options.clock.monotonicMs()
    if (hasLost && token !== this.#token) for (const listener of this.#gapListeners) listener()
    for (const [to, message] of messages) {
      const isForMe = to === 'all' ? token !== this.#token : to === this.#options.lease.id
      if (isForMe) for (const listener of this.#messageListeners) listener(message, from)
    }
  }
}

/** null asks for a payload without a message, for the sender to hear. */
type Item = readonly [to: number | 'all', message: BusMessage] | null

interface Payload {
  token: string
  /** The number of the server; 0: a program that is none. */
  from: number
  messages: NonNullable<Item>[]
  /** Whether messages before these could not be sent. */
  hasLost?: true
}

/** PostgreSQL refuses payloads of 8,000 bytes. */
function packed(items: NonNullable<Item>[]): NonNullable<Item>[][] {
  const packs: NonNullable<Item>[][] = [[]]
  let bytes = 0
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1
    if (bytes + size > maxMessageBytes) {
      packs.push([])
      bytes = 0
    }
    packs.at(-1)!.push(item)
    bytes += size
  }
  return packs
}

/** The channel of the servers of a schema. Names of channels have 63 bytes at most, as those of schemas. */
async function channelOf(database: Database): Promise<string> {
  const [row] = await database<{ schema: string }[]>`select current_schema() as schema`
  return `filejobs-${createHash('sha256').update(row!.schema).digest('hex').slice(0, 32)}`
}

const maxMessageBytes = 7800
