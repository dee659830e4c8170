import { Problem } from '../../protocol/problems.js'
import { formatBytes } from '../../protocol/units.js'
import type { Space } from '../stores/files.js'

export interface SpaceLimits {
  maxFileSize: number | null
  /** Bytes for each account. */
  quota: number | null
}

/** What is stored already, and how much more can be. */
export interface StoredBytes {
  /** Bytes of all that counts as the account's: its files and its tables. */
  usage(space: Space): Promise<number>
  /** Bytes that can still be written to the disk. */
  freeBytes(): Promise<number>
}

/** Room that was set aside for one upload or import. */
export interface Reservation {
  /**
   * Makes sure that there is room for `bytes` in all, taking some ahead where it can. Costs nothing while what was taken
   * is enough. Throws `quota-exceeded` and `disk-full`.
   */
  cover(bytes: number): Promise<void>
  /** As `cover`, but takes nothing ahead: for a length that is known. */
  coverExactly(bytes: number): Promise<void>
  /** Keeps `bytes` of it, for one that waits without moving. */
  shrink(bytes: number): void
  /** Gives the room back: the upload has ended, whatever the end. Releasing twice is not an error. */
  release(): void
}

/** Sets room aside before bytes are published, so that transfers side by side cannot together fill the quota or the disk. */
export class SpaceReservations {
  readonly #stored: StoredBytes
  readonly #limits: SpaceLimits
  readonly #reserved = new Map<object, { account: string; bytes: number; written: () => number }>()
  readonly #releases = new Map<string, number>()

  constructor(stored: StoredBytes, limits: SpaceLimits) {
    this.#stored = stored
    this.#limits = limits
  }

  /** Throws `file-too-large`, before anything else is looked at. */
  checkSize(bytes: number): void {
    const { maxFileSize } = this.#limits
    if (maxFileSize !== null && bytes > maxFileSize) {
      throw new Problem('file-too-large', `A file may have ${formatBytes(maxFileSize)} at most.`, { maxFileSize })
    }
  }

  /** `replaces`: bytes that the publish will free. `written`: bytes of the reservation that are on disk already. */
  async reserve(space: Space, bytes: number, replaces: number, written: () => number): Promise<Reservation> {
    const key = {}
    const account = `${space.role}:${space.username}`
    let reserved = 0
    let released = false
    const take = async (total: number) => {
      const { used, free } = await this.#measure(space, account)
      // The upload has ended meanwhile, and nobody would release it again.
      if (released) return
      // From here to the `set` nothing waits: two reservations never both take the same room.
      const others = [...this.#reserved].filter(([other]) => other !== key).map(([, reservation]) => reservation)
      const ofAccount = others.filter((other) => other.account === account).reduce((sum, other) => sum + other.bytes, 0)
      if (this.#limits.quota !== null && used - replaces + ofAccount + total > this.#limits.quota) {
        const quota = formatBytes(this.#limits.quota)
        throw new Problem('quota-exceeded', `That would pass the quota of ${quota}: remove something first.`, { used })
      }
      const promised = others.reduce((sum, other) => sum + Math.max(0, other.bytes - other.written()), 0)
      if (promised + Math.max(0, total - written()) > free) {
        throw new Problem('disk-full', "There is not enough room on the server's disk.", { free })
      }
      this.#reserved.set(key, { account, bytes: total, written })
      reserved = total
    }
    const cover = async (total: number) => {
      if (total <= reserved) return
      const ahead = Math.min(maxAheadBytes, Math.max(minAheadBytes, total / 4))
      await take(total + Math.ceil(ahead)).catch(() => take(total))
    }
    const release = () => {
      released = true
      if (this.#reserved.delete(key)) this.#releases.set(account, this.#releasesOf(account) + 1)
    }
    await take(bytes)
    const shrink = (total: number) => {
      this.#reserved.set(key, { account, bytes: total, written })
      reserved = total
    }
    return {
      cover,
      coverExactly: async (total) => {
        if (total > reserved) await take(total)
      },
      shrink,
      release,
    }
  }

  /** Looks again when a reservation was released meanwhile: its file may not have been counted, and is not under way any more. */
  async #measure(space: Space, account: string): Promise<{ used: number; free: number }> {
    for (;;) {
      const releases = this.#releasesOf(account)
      const [used, free] = await Promise.all([
        this.#limits.quota === null ? 0 : this.#stored.usage(space),
        this.#stored.freeBytes(),
      ])
      if (this.#limits.quota === null || releases === this.#releasesOf(account)) return { used, free }
    }
  }

  #releasesOf(account: string): number {
    return this.#releases.get(account) ?? 0
  }
}

/** How much an upload of unknown length takes ahead of what has come. */
const minAheadBytes = 1024 ** 2
const maxAheadBytes = 64 * 1024 ** 2
