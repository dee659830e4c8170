import type { Room } from '../../../protocol/accounts.js'
import { Problem } from '../../../protocol/problems.js'
import { formatBytes } from '../../../protocol/units.js'
import type { Capacity } from '../capacity.js'
import { isDiskFull } from '../disk-full.js'
import type { Space } from '../files.js'
import type { Reservation, RoomHolder, SpaceReservations } from '../space.js'
import { quotaExceeded, roomOf, withSomeAhead } from '../space-quota.js'

export interface SpaceLimits {
  maxFileSize: number | null
  /** Bytes that the account may have now; null for no limit. */
  quotaOf(space: Space): Promise<number | null>
}

/** The stored bytes, and the free space. */
export interface StoredBytes extends Capacity {
  /** Bytes of everything that counts towards the account's quota: its files and its tables. */
  usage(space: Space): Promise<number>
}

/** The reservations of this process: no other one uses the data folder. */
export class LocalSpace implements SpaceReservations {
  readonly #stored: StoredBytes
  readonly #limits: SpaceLimits
  readonly #bookings = new Set<Booking>()
  readonly #releases = new Map<string, number>()

  constructor(stored: StoredBytes, limits: SpaceLimits) {
    this.#stored = stored
    this.#limits = limits
  }

  checkSize(bytes: number): void {
    const { maxFileSize } = this.#limits
    if (maxFileSize !== null && bytes > maxFileSize) {
      throw new Problem('file-too-large', `A file may have ${formatBytes(maxFileSize)} at most.`, { maxFileSize })
    }
  }

  async reserve(
    space: Space,
    bytes: number,
    replaces: number,
    written: () => number,
    holder?: RoomHolder,
  ): Promise<Reservation> {
    const account = `${space.role}:${space.username}`
    const booking: Booking = { space, account, replaces, written, holder, bytes: 0, isReleased: false }
    await this.#book(booking, bytes)
    return {
      cover: async (total) => {
        if (total <= booking.bytes) return
        await this.#book(booking, withSomeAhead(total), false).catch(() => this.#book(booking, total))
      },
      coverExactly: async (total) => {
        if (total > booking.bytes) await this.#book(booking, total)
      },
      shrink: (total) => {
        booking.bytes = total
      },
      release: () => {
        booking.isReleased = true
        if (this.#bookings.delete(booking)) this.#releases.set(account, this.#releasesOf(account) + 1)
      },
    }
  }

  async room(space: Space): Promise<Room> {
    const account = `${space.role}:${space.username}`
    const quota = await this.#limits.quotaOf(space)
    const [used, free] = await Promise.all([this.#stored.usage(space), this.#stored.freeBytes()])
    const bookings = [...this.#bookings]
    const ofAccount = bookings.filter((booking) => booking.account === account)
    const reserved = quota === null ? 0 : sumOf(ofAccount, ({ bytes }) => bytes)
    return roomOf({ used, reserved, quota, onDisk: free - sumOf(bookings, unwritten) })
  }

  async #book(booking: Booking, total: number, mayEvict = true): Promise<void> {
    try {
      await this.#tryToBook(booking, total, mayEvict)
    } catch (error) {
      if (!isDiskFull(error)) throw error
      await this.#stored.freed()
      await this.#tryToBook(booking, total, mayEvict)
    }
  }

  async #tryToBook(booking: Booking, total: number, mayEvict: boolean): Promise<void> {
    const { quota, used, free } = await this.#measure(booking)
    // The upload has ended meanwhile: a reservation made now would never be released.
    if (booking.isReleased) return
    // A larger booking was made meanwhile.
    if (this.#bookings.has(booking) && total <= booking.bytes) return
    // Synchronous from here on: two reservations never take the same space.
    const others = [...this.#bookings].filter((other) => other !== booking)
    const ofAccount = (other: Booking) => (other.account === booking.account ? other.bytes : 0)
    const taken = used - booking.replaces + sumOf(others, ofAccount)
    if (quota !== null && taken + total > quota) {
      if (mayEvict && (await evictIdle(others, taken + total - quota, ofAccount))) return this.#book(booking, total)
      throw quotaExceeded(total, { taken, quota, used })
    }
    const promised = sumOf(others, unwritten) + Math.max(0, total - booking.written())
    if (promised > free) {
      if (mayEvict && (await evictIdle(others, promised - free, unwritten))) return this.#book(booking, total)
      throw new Problem('disk-full', "There is not enough room on the server's disk.", { free })
    }
    booking.bytes = total
    this.#bookings.add(booking)
  }

  /**
   * Checks again if a reservation was released meanwhile: its file may not have been counted, and is no longer
   * reserved.
   */
  async #measure({ space, account }: Booking): Promise<{ quota: number | null; used: number; free: number }> {
    for (;;) {
      const releases = this.#releasesOf(account)
      const quota = await this.#limits.quotaOf(space)
      const usage = quota === null ? 0 : this.#stored.usage(space)
      const [used, free] = await Promise.all([usage, this.#stored.freeBytes()])
      if (quota === null || releases === this.#releasesOf(account)) return { quota, used, free }
    }
  }

  #releasesOf(account: string): number {
    return this.#releases.get(account) ?? 0
  }
}

interface Booking {
  space: Space
  account: string
  replaces: number
  written: () => number
  holder: RoomHolder | undefined
  bytes: number
  isReleased: boolean
}

function unwritten(booking: Booking): number {
  return Math.max(0, booking.bytes - booking.written())
}

function sumOf(bookings: Booking[], bytesOf: (booking: Booking) => number): number {
  return bookings.reduce((sum, booking) => sum + bytesOf(booking), 0)
}

/** Evicts the oldest idle holder if all of them together have the missing bytes; false if not. */
async function evictIdle(others: Booking[], missing: number, gain: (other: Booking) => number): Promise<boolean> {
  const idle = others.filter((other) => other.holder?.isIdle && gain(other) > 0)
  if (sumOf(idle, gain) < missing) return false
  await idle[0]!.holder!.evict()
  return true
}
