import { Problem } from '../../protocol/problems.js'
import type { Share, ShareStore } from '../stores/shares.js'
import { exhausted } from './share-state.js'

export interface ShareDownloadServices {
  shares: Pick<ShareStore, 'find' | 'reserveDownload' | 'countDownload' | 'releaseDownload'>
  /** Called with failures of a count: the file was sent anyway. */
  onFailure(error: unknown): void
}

/** A download of a link, for its count. */
export interface CountedDownload {
  /** Takes one of the downloads that are left. Throws `share-exhausted`, and `busy` while others are sending the last ones. */
  begin(): Promise<void>
  /**
   * Counts it if its last byte was sent, and gives it back otherwise. Without `begin` it does nothing. Does not wait, so that the
   * slot of its reader is free at once.
   */
  end(isSent: boolean): void
}

/** A download is reserved while it is being sent, so that no more than the link allows can send their last byte. */
export function countedDownload(share: Share, { shares, onFailure }: ShareDownloadServices): CountedDownload {
  let reservation: string | undefined
  return {
    async begin() {
      reservation = await shares.reserveDownload(share.id)
      if (reservation !== undefined) return
      const current = await shares.find(share.id)
      if (!current || current.maxDownloads === null || current.downloads >= current.maxDownloads) throw exhausted(share)
      const reason = 'The last downloads that this link allows are under way: try again later.'
      throw new Problem('busy', reason, { retryAfter: 30 })
    },

    end(isSent) {
      if (reservation === undefined) return
      const ending = isSent ? shares.countDownload(reservation) : shares.releaseDownload(reservation)
      ending.catch(onFailure)
    },
  }
}
