import type { Space } from '../stores/files.js'
import type { Reservation, SpaceReservations } from '../stores/space.js'

/**
 * Space for a stream of an unknown number of files. A published file counts as stored, so the reservation covers only the
 * files under way and some space ahead, and is renewed when that is used up.
 */
export class TarRoom {
  readonly #space: SpaceReservations
  readonly #owner: Space
  #reservation: Reservation | null = null
  #reserved = 0
  /** Of the reservation. */
  #taken = 0
  #underWay = 0
  #isClosed = false

  constructor(space: SpaceReservations, owner: Space) {
    this.#space = space
    this.#owner = owner
  }

  /** Throws `file-too-large`, `quota-exceeded` and `disk-full`. `replaces`: bytes of the file that has the name now. */
  async take(bytes: number, replaces: () => Promise<number>): Promise<void> {
    this.#space.checkSize(bytes)
    if (this.#taken + bytes > this.#reserved) await this.#renew(bytes, replaces)
    this.#taken += bytes
    this.#underWay += bytes
  }

  /** `bytes` that were taken are published, or will not be. */
  stored(bytes: number): void {
    this.#underWay -= bytes
  }

  /** Releases the space; the next file reserves it again. */
  release(): void {
    this.#reservation?.release()
    this.#reservation = null
    this.#reserved = 0
  }

  /** Gives the space back for good. */
  close(): void {
    this.#isClosed = true
    this.release()
  }

  async #renew(bytes: number, replaces: () => Promise<number>): Promise<void> {
    this.release()
    this.#taken = this.#underWay
    const needed = this.#underWay + bytes
    const written = () => this.#taken - this.#underWay
    const reserve = (total: number, freed: number) => this.#space.reserve(this.#owner, total, freed, written)
    const ahead = needed + aheadBytes
    this.#reserved = ahead
    this.#reservation = await reserve(ahead, 0).catch(async () => {
      this.#reserved = needed
      return reserve(needed, await replaces())
    })
    if (this.#isClosed) this.release()
  }
}

const aheadBytes = 16 * 1024 ** 2
