import { Problem } from '../../protocol/problems.js'
import { networkOf } from '../auth/networks.js'
import { type Release, Semaphore } from '../concurrency/semaphore.js'

/** The slots of the readers of each link; each address has a share of them. */
export class ShareReaders {
  readonly #ofLink = new Semaphore({ slotsPerKey: 32 })
  readonly #ofNetwork = new Semaphore({ slotsPerKey: 12 })

  /** Takes a slot. Throws `busy`. `account` is that of the link's jobs. */
  enter(account: string, address: string): Release {
    const release = this.#ofLink.tryAcquire(account)
    const releaseShare = this.#ofNetwork.tryAcquire(`${account} ${networkOf(address)}`)
    if (release && releaseShare) {
      return () => {
        release()
        releaseShare()
      }
    }
    release?.()
    releaseShare?.()
    throw new Problem('busy', 'This link is being downloaded too often at once: try again later.', { retryAfter: 5 })
  }
}
