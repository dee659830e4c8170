import type { JobKind, JobRecord, Receipt } from '../../protocol/jobs.js'
import { formatBytes } from '../../protocol/units.js'
import type { FileTally } from './file-tally.js'
import type { JobEnd } from './job-end.js'

/** A requested stop. `began` is in terms of `Clock.monotonicMs`. */
export interface Stop {
  /** `role:username` */
  by: string
  at: Date
  began: number
}

/** The abort reason of a stopped job's signal. */
export class Stopped extends Error {
  /** `role:username` */
  readonly by: string

  constructor(by: string) {
    super(`The job was stopped by ${by}.`)
    this.name = 'Stopped'
    this.by = by
  }
}

/** The receipt for the stop of a job that has ended. */
export function receiptOf(
  job: JobRecord,
  { by, at, began }: Stop,
  { cleanedUp, atMs }: Pick<JobEnd, 'cleanedUp' | 'atMs'>,
  files: FileTally | null,
): Receipt {
  return {
    message: `Stopped the ${job.kind}${job.file ? ` of ${job.file}` : ''}: ${restOf(job.kind, cleanedUp, files)}`,
    job,
    stoppedBy: by,
    stoppedAt: at.toISOString(),
    bytesDiscarded: job.kind === 'upload' ? (files?.discardedBytes ?? job.bytes) : 0,
    published: files?.visible ?? null,
    cleanedUp,
    tookMs: Math.round((atMs - began) * 10) / 10,
  }
}

/** The effect of a stop by kind, for the message of the receipt. */
const stopEffects: Record<JobKind, string> = {
  upload: 'what had arrived is gone, nothing was published.',
  export: 'the connection was cut.',
  import: 'no row was published.',
  query: 'its process has ended.',
}

function restOf(kind: JobKind, cleanedUp: boolean, files: FileTally | null): string {
  if (files && files.visible.files > 0) return restOfMany(kind, cleanedUp, files)
  return cleanedUp ? stopEffects[kind] : 'nothing was published, but what had arrived is still there.'
}

function restOfMany(kind: JobKind, cleanedUp: boolean, { visible, discardedBytes }: FileTally): string {
  const { files, bytes } = visible
  const whole = `${files.toLocaleString('en')} ${files === 1 ? 'file' : 'files'} (${formatBytes(bytes)})`
  if (kind === 'export') return `${whole} had been sent, what was under way was cut.`
  const stays = `${whole} ${files === 1 ? 'stays' : 'stay'} published`
  return `${stays}, ${formatBytes(discardedBytes)} of others ${cleanedUp ? 'are gone' : 'are still there'}.`
}
