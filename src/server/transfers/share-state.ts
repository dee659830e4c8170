import { Problem } from '../../protocol/problems.js'
import type { ShareRecord } from '../../protocol/shares.js'
import type { Share } from '../stores/shares.js'

/** `now` in milliseconds since 1970. */
export function shareState({ expiresAt, maxDownloads, downloads }: Share, now: number): ShareRecord['state'] {
  if (Date.parse(expiresAt) <= now) return 'expired'
  return maxDownloads !== null && downloads >= maxDownloads ? 'exhausted' : 'live'
}

/** Throws `share-expired` and `share-exhausted`. */
export function checkLive(share: Share, now: number): void {
  const state = shareState(share, now)
  if (state === 'expired') {
    const end = `${share.expiresAt.slice(0, 16).replace('T', ' ')} UTC`
    throw new Problem('share-expired', `This link expired on ${end}: ask its sender for another one.`)
  }
  if (state === 'exhausted') throw exhausted(share)
}

export function exhausted({ maxDownloads }: Pick<Share, 'maxDownloads'>): Problem {
  const allowed = maxDownloads === 1 ? 'once, and it was' : `${maxDownloads} times, and it was`
  return new Problem('share-exhausted', `This link may be downloaded ${allowed}: ask its sender for another one.`)
}
