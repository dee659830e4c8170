import { Problem } from '../../protocol/problems.js'
import { formatBytes } from '../../protocol/units.js'
import { Mutex } from '../concurrency/mutex.js'
import type { JobOwner } from '../jobs/job-owner.js'
import type { RequestReservation } from '../stores/file-requests.js'
import type { Space } from '../stores/files.js'
import { requestOfJob } from '../stores/request-account.js'
import type { Reservation, RoomHolder, SpaceReservations } from '../stores/space.js'
import { withSomeAhead } from '../stores/space-quota.js'
import type { UploadRequest } from './upload-request.js'

export interface RoomServices {
  space: SpaceReservations
  requests: RequestLimits
}

/** The limits of links for uploads. */
export interface RequestLimits {
  /**
   * Takes it of what the link allows, in place of what the job had taken before; it is given back or counted when the job ends.
   * Throws that the link does not take it: `request-full`, `request-revoked`, `file-too-large`, `busy`.
   */
  reserve(id: string, reservation: RequestReservation): Promise<void>
  /** Like `reserve`, for an upload of an earlier run of the server, which is not refused. */
  restore(id: string, reservation: RequestReservation): Promise<void>
}

/** As for `SpaceReservations.reserve`. */
export interface RoomNeeded {
  /** The job, whose owner says whether a link limits it. */
  job: Pick<JobOwner, 'account'> & { id: string }
  space: Space
  bytes: number
  /** Default: nothing. */
  replaces?: number
  written: () => number
  holder?: RoomHolder
}

export interface UploadRoom extends Reservation {
  /** Ensures that a link takes so many files of the upload; at first it is one. Throws like `RequestLimits.reserve`. */
  coverFiles(files: number): Promise<void>
}

/** Throws `file-too-large`. */
export function checkFileSize(
  space: Pick<SpaceReservations, 'checkSize'>,
  { maxFileBytes = null }: Pick<UploadRequest, 'maxFileBytes'>,
  bytes: number,
): void {
  space.checkSize(bytes)
  if (maxFileBytes === null || bytes <= maxFileBytes) return
  const words = `This link takes files of ${formatBytes(maxFileBytes)} at most.`
  throw new Problem('file-too-large', words, { maxFileSize: maxFileBytes })
}

/**
 * Reserves room for an upload: in the space of its account and, if it comes by a link for uploads, of what that allows. Throws
 * like both.
 */
export async function reserveRoom({ space: spaces, requests }: RoomServices, needed: RoomNeeded): Promise<UploadRoom> {
  const { job, space, bytes, replaces = 0, written, holder } = needed
  const request = requestOfJob(job)
  const reserve = () => spaces.reserve(space, bytes, replaces, written, holder)
  if (request === undefined) return { ...(await reserve()), coverFiles: async () => {} }
  const taken = { job: job.id, files: 1, bytes }
  const inOrder = new Mutex()
  let isReleased = false
  // One after the other: each replaces the one before.
  const take = (more: { files?: number; bytes?: number }) =>
    inOrder.run(async () => {
      // It would never be given back.
      if (isReleased) return
      await requests.reserve(request, { ...taken, ...more })
      Object.assign(taken, more)
    })
  const takeBytes = async (total: number, ahead = total) => {
    if (total > taken.bytes) await take({ bytes: ahead }).catch(() => take({ bytes: total }))
  }
  await take({})
  const reservation = await reserve()
  return {
    ...reservation,
    async cover(total) {
      await takeBytes(total, withSomeAhead(total))
      await reservation.cover(total)
    },
    async coverExactly(total) {
      await takeBytes(total)
      await reservation.coverExactly(total)
    },
    async coverFiles(files) {
      if (files > taken.files) await take({ files })
    },
    release() {
      isReleased = true
      reservation.release()
    },
  }
}
