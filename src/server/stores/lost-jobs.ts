import type { Publication } from '../../protocol/folder-jobs.js'
import type { JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'

// The ends of jobs whose client or server did not return.

/** The error of an upload that was interrupted for longer than it is kept. */
export function expired(): Problem {
  return new Problem('upload-gone', 'The upload has expired: nothing came for too long. Start it again.')
}

/** The error of a job that its server did not end. */
export function endedWithServer(): Problem {
  return new Problem('shutting-down', 'The server ended before the job did.')
}

/** The record of a job of one file that was published before the end of the job could be recorded. */
export function doneAfterAll(last: JobRecord, bytes: number, endedAt: string): JobRecord {
  return { ...last, state: 'done', bytes, totalBytes: bytes, percent: 100, rate: null, endedAt }
}

/** The record of a job whose files were published together before its end could be recorded. */
export function publishedTogether(last: JobRecord, published: Publication, endedAt: string): JobRecord {
  const { files, bytes, unchanged, failed } = published
  const tally = { total: null, failures: [], ...last.files, done: files + unchanged, unchanged, failed }
  return { ...doneAfterAll(last, last.totalBytes ?? bytes, endedAt), files: tally }
}
