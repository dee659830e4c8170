import type { Room } from '../../../protocol/accounts.js'
import type { Problem } from '../../../protocol/problems.js'
import { KeyedMutex } from '../../concurrency/keyed-mutex.js'
import type { Space } from '../files.js'
import type { Reservation, RoomHolder, SpaceReservations } from '../space.js'
import { quotaExceeded, roomOf, withSomeAhead } from '../space-quota.js'
import type { Database, Transaction } from './database.js'
import type { NodeLease } from './node-lease.js'
import { type RetryOptions, retryUntilDone } from './retry.js'

export interface PostgresSpaceOptions extends RetryOptions {
  lease: Pick<NodeLease, 'id'>
  /** Bytes that the account may have now; null for no limit. */
  quotaOf(space: Space): Promise<number | null>
  /** Bytes of everything that counts towards the account's quota. */
  usage: (space: Space) => Promise<number>
  /** The reservations of this server's own disk, without quotas, which also check the size of a file. */
  disk: SpaceReservations
}

/**
 * Quotas are those of all servers; the space of the disk is that of this one. What an account without a quota reserves is in no
 * row: if it gets a quota meanwhile, that counts from the publish on, or when it grows.
 */
export class PostgresSpace implements SpaceReservations {
  readonly #database: Database
  readonly #options: PostgresSpaceOptions
  /** What this server does for an account happens in the order of the calls. */
  readonly #order = new KeyedMutex()
  /** Of this server: only its own holders can be evicted. */
  readonly #bookings = new Set<QuotaBooking>()

  constructor(database: Database, options: PostgresSpaceOptions) {
    this.#database = database
    this.#options = options
  }

  checkSize(bytes: number): void {
    this.#options.disk.checkSize(bytes)
  }

  async reserve(
    space: Space,
    bytes: number,
    replaces: number,
    written: () => number,
    holder?: RoomHolder,
  ): Promise<Reservation> {
    const { disk } = this.#options
    const account = `${space.role}:${space.username}`
    const booking: QuotaBooking = { space, account, replaces, holder, id: null, bytes: 0, isReleased: false }
    await this.#book(booking, bytes)
    try {
      return this.#both(await disk.reserve(space, bytes, replaces, written, holder), booking)
    } catch (error) {
      this.#release(booking)
      throw error
    }
  }

  async room(space: Space): Promise<Room> {
    const { disk, quotaOf } = this.#options
    const quota = await quotaOf(space)
    const reserved = quota === null ? 0 : await this.#reservedBy(`${space.role}:${space.username}`)
    const { used, free } = await disk.room(space)
    return roomOf({ used, reserved, quota, onDisk: free ?? Number.POSITIVE_INFINITY })
  }

  #both(onDisk: Reservation, booking: QuotaBooking): Reservation {
    return {
      cover: async (total) => {
        if (total > booking.bytes) {
          const ahead = withSomeAhead(total)
          await this.#book(booking, ahead, false).catch(() => this.#book(booking, total))
        }
        await onDisk.cover(total)
      },
      coverExactly: async (total) => {
        if (total > booking.bytes) await this.#book(booking, total)
        await onDisk.coverExactly(total)
      },
      shrink: (total) => {
        onDisk.shrink(total)
        if (!booking.isReleased) this.#set(booking, total)
      },
      release: () => {
        onDisk.release()
        this.#release(booking)
      },
    }
  }

  /** Evicts idle holders of this server, one after the other, if that is enough. */
  async #book(booking: QuotaBooking, total: number, mayEvict = true): Promise<void> {
    for (;;) {
      const refusal = await this.#order.run(booking.account, () => this.#tryToBook(booking, total))
      if (!refusal) return
      const others = [...this.#bookings].filter((other) => other !== booking && other.account === booking.account)
      const idle = others.filter(({ holder, id, bytes }) => holder?.isIdle && id !== null && bytes > 0)
      const gain = idle.reduce((sum, { bytes }) => sum + bytes, 0)
      if (!mayEvict || gain < refusal.missing) throw refusal.problem
      await idle[0]!.holder!.evict()
    }
  }

  async #tryToBook(booking: QuotaBooking, total: number): Promise<Refusal | null> {
    // The upload has ended meanwhile, or a larger booking was made.
    if (booking.isReleased || (this.#bookings.has(booking) && total <= booking.bytes)) return null
    const quota = await this.#options.quotaOf(booking.space)
    const refusal = quota === null ? null : await this.#writeRow(booking, total, quota)
    if (refusal) return refusal
    booking.bytes = total
    if (!booking.isReleased) this.#bookings.add(booking)
    return null
  }

  /** Sets the row of the booking, if the quota allows it. */
  async #writeRow(booking: QuotaBooking, total: number, quota: number): Promise<Refusal | null> {
    const { space, account, replaces } = booking
    return this.#database.begin(async (sql) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || ' space ' || ${account}, 0))`
      const reserved = await this.#reservedBy(account, { sql, exceptId: booking.id })
      // After that sum: a file that is published meanwhile counts twice rather than not at all.
      const used = await this.#options.usage(space)
      const taken = used - replaces + reserved
      if (taken + total > quota)
        return { missing: taken + total - quota, problem: quotaExceeded(total, { taken, quota, used }) }
      const node = this.#options.lease.id
      const [saved] = await (booking.id === null
        ? sql<{ id: number }[]>`
            insert into reservations (account, bytes, node) values (${account}, ${total}, ${node}) returning id`
        : sql<{ id: number }[]>`update reservations set bytes = ${total} where id = ${booking.id} returning id`)
      booking.id = saved?.id ?? null
      return null
    })
  }

  async #reservedBy(
    account: string,
    { sql = this.#database, exceptId = null }: { sql?: Database | Transaction; exceptId?: number | null } = {},
  ): Promise<number> {
    const [row] = await sql<{ reserved: number }[]>`
      select coalesce(sum(bytes), 0)::bigint as reserved from reservations
      where account = ${account} and id <> ${exceptId ?? 0}`
    return row!.reserved
  }

  #set(booking: QuotaBooking, bytes: number): void {
    booking.bytes = bytes
    const update = async () => {
      if (booking.id === null) return
      await this.#database`update reservations set bytes = ${bytes} where id = ${booking.id}`
    }
    void this.#order.run(booking.account, () => retryUntilDone(update, this.#options))
  }

  #release(booking: QuotaBooking): void {
    booking.isReleased = true
    if (!this.#bookings.delete(booking)) return
    const remove = async () => {
      if (booking.id === null) return
      await this.#database`delete from reservations where id = ${booking.id}`
    }
    void this.#order.run(booking.account, () => retryUntilDone(remove, this.#options))
  }
}

interface QuotaBooking {
  space: Space
  account: string
  replaces: number
  holder: RoomHolder | undefined
  /** Of its row; null before the first. */
  id: number | null
  bytes: number
  isReleased: boolean
}

interface Refusal {
  missing: number
  problem: Problem
}
