import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import { type Release, Semaphore } from '../concurrency/semaphore.js'
import type { Throttle } from '../jobs/throttle.js'

export interface PreviewOptions {
  clock: Clock
  throttleOf(account: string): Throttle
}

/** Looks at files: they are no jobs and take no slot, but are within the rate of their account, and few at a time. */
export class Previews {
  readonly #options: PreviewOptions
  readonly #open = new Semaphore({ slotsPerKey: maxOpen })

  constructor(options: PreviewOptions) {
    this.#options = options
  }

  /** Takes a place, until the response has ended. Throws `too-many-requests`. */
  enter(account: string): Release {
    const release = this.#open.tryAcquire(account)
    if (release) return release
    const message = `This account reads ${maxOpen} previews already: close one first.`
    throw new Problem('too-many-requests', message, { retryAfter: 1 })
  }

  /** Resolves when the rate limit of the account lets the bytes pass. */
  async letPass(account: string, bytes: number): Promise<void> {
    const { throttleOf, clock } = this.#options
    const { waitMs } = throttleOf(account).book(bytes)
    if (waitMs < 1) return
    await new Promise<void>((resolve) => {
      clock.after(waitMs, resolve)
    })
  }
}

/** A browser opens six connections at most; a person may have two of them. */
const maxOpen = 12
