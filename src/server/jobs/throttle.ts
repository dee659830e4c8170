import type { Clock } from '../clock.js'
import { Hold } from './hold.js'

/** Bytes that may pass after a delay. */
export interface Booking {
  /** The delay in milliseconds. */
  waitMs: number
  /** Returns the bytes to the limit if they do not pass. Call it at most once. */
  cancel(): void
}

export interface ThrottleOptions {
  hold?: Hold
  onBook?: () => void
}

/** A rate limit that any number of streams share. It does not wait itself: it returns the delay. */
export class Throttle {
  /** While it is set, nothing passes. */
  readonly hold: Hold
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()
  readonly #onBook: () => void
  #bytesPerSecond: number | null
  #servers = 1
  #nextFreeAt: number
  #changes = 0

  /** `bytesPerSecond` null means no limit. `onBook` is called before each booking that counts. */
  constructor(
    bytesPerSecond: number | null,
    clock: Clock,
    { hold = neverHeld, onBook = () => {} }: ThrottleOptions = {},
  ) {
    this.hold = hold
    this.#onBook = onBook
    this.#clock = clock
    this.#bytesPerSecond = bytesPerSecond
    this.#nextFreeAt = clock.monotonicMs()
  }

  /** Of this server, if several share the limit. */
  get bytesPerSecond(): number | null {
    return this.#bytesPerSecond && this.#bytesPerSecond / this.#servers
  }

  /** Resets all bookings and wakes sleepers: their delays were computed from the old limit. */
  set bytesPerSecond(limit: number | null) {
    this.#bytesPerSecond = limit
    this.#nextFreeAt = this.#clock.monotonicMs()
    this.#changes++
    for (const onChange of [...this.#listeners]) onChange()
  }

  /** How many servers share the limit evenly, from the next booking on; those before keep their delays. Default 1. */
  set servers(count: number) {
    this.#servers = count
  }

  /** Whether bytes wait, or the next ones would have to wait for those that passed. */
  get isAhead(): boolean {
    return this.#nextFreeAt > this.#clock.monotonicMs()
  }

  /** Books bytes after those that are booked already. */
  book(bytes: number): Booking {
    const { bytesPerSecond } = this
    if (bytesPerSecond === null) return free
    this.#onBook()
    const now = this.#clock.monotonicMs()
    // Makes up for a late timer, and no more: an idle stream gets no burst.
    const start = Math.max(this.#nextFreeAt, now - catchUpMs)
    const takesMs = (bytes / bytesPerSecond) * 1000
    this.#nextFreeAt = start + takesMs
    const change = this.#changes
    const cancel = () => {
      if (change === this.#changes) this.#nextFreeAt -= takesMs
    }
    return { waitMs: Math.max(0, start - now), cancel }
  }

  /** Calls back when the limit changes. Returns a function that removes the listener. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback)
    return () => this.#listeners.delete(callback)
  }
}

const neverHeld = new Hold()
const free: Booking = { waitMs: 0, cancel() {} }

/** A busy machine sometimes wakes a sleeper this late; over ten seconds it is 2 %. */
export const catchUpMs = 200
