import type { JobRecord } from '../../../protocol/jobs.js'
import { formatBytes } from '../../../protocol/units.js'
import type { IconName } from '../../parts/icon.js'
import { say } from '../../words/say.js'

// How a job is named and told, in lists and details.

export function nameOf({ file, files, table, kind }: JobRecord): string {
  if (files && !file)
    return files.total === null ? say('amount.someFiles') : say('amount.files', { count: files.total })
  return file ?? table ?? say(`kind.${kind}`)
}

export const kindIcons = {
  upload: 'upload',
  export: 'download',
  import: 'import',
  query: 'query',
} as const satisfies Record<string, IconName>

export function percentShown({ percent, state }: JobRecord): number | null {
  if (state === 'done') return 100
  return state === 'waiting' ? 0 : percent
}

export function toneOf({ kind, state }: JobRecord) {
  if (state === 'stopped' || state === 'failed') return 'bad'
  if (state === 'done') return 'done'
  return state === 'running' || state === 'committing' ? kind : 'held'
}

export function progressWords({ bytes, totalBytes, files, error, state, stoppedBy }: JobRecord): string {
  if (state === 'failed' && error) return error.message
  if (state === 'stopped' && stoppedBy) return say('job.stoppedByShort', { account: stoppedBy })
  const counted = files ? `${filesDone(files)} · ` : ''
  if (totalBytes === null) return counted + formatBytes(bytes)
  return `${counted}${say('job.bytesOf', { bytes: formatBytes(bytes), total: formatBytes(totalBytes) })}`
}

/** `5 of 12 files`, and those that failed. */
export function filesDone({ done, total, failed }: NonNullable<JobRecord['files']>): string {
  const whole = total === null ? say('amount.files', { count: done }) : say('amount.filesOf', { done, count: total })
  return failed > 0 ? say('amount.filesFailed', { files: whole, failed }) : whole
}
