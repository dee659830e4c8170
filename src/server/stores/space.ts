import type { Room } from '../../protocol/accounts.js'
import type { Space } from './files.js'

/**
 * Reserves space before bytes are published, so that concurrent transfers cannot together exceed the quota or the disk. The
 * quota is looked up for each reservation and its growth: what was reserved stays when the quota is lowered.
 */
export interface SpaceReservations {
  /** Throws `file-too-large`, before anything else is checked. */
  checkSize(bytes: number): void
  /**
   * Reserves `bytes` atomically. `replaces`: bytes that the publish will free. `written`: bytes of the reservation that
   * are already stored. Idle holders are evicted if their space is needed. Throws `quota-exceeded` and `disk-full`.
   */
  reserve(
    space: Space,
    bytes: number,
    replaces: number,
    written: () => number,
    holder?: RoomHolder,
  ): Promise<Reservation>
  /** The space of an account as it is now. Nothing of it is promised. */
  room(space: Space): Promise<Room>
}

/** Space that is reserved for one upload or import. */
export interface Reservation {
  /**
   * Ensures that there is space for `bytes` in total, reserving some ahead if possible. Cheap while the reserved space
   * is sufficient; of several calls at the same time the largest counts. Throws `quota-exceeded` and `disk-full`. Does
   * nothing after the release.
   */
  cover(bytes: number): Promise<void>
  /** Like `cover`, but reserves nothing ahead: for a known length. */
  coverExactly(bytes: number): Promise<void>
  /** Reduces it to `bytes`, for a holder that waits. Does nothing after the release. */
  shrink(bytes: number): void
  /** Releases the space: the upload has ended, with any outcome. Releasing twice is not an error. */
  release(): void
}

/** The holder of a reservation, which may have to release it for another one. */
export interface RoomHolder {
  /** Whether it can be evicted now. */
  readonly isIdle: boolean
  /** Ends the holder. Resolves when its space is free. */
  evict(): Promise<void>
}
