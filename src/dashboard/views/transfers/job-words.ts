import type { JobRecord } from '../../../protocol/jobs.js'
import { formatBytes } from '../../../protocol/units.js'
import { count, kindLabels } from '../../labels.js'
import type { IconName } from '../../parts/icon.js'

// How a job is named and told, in lists and details.

export function nameOf({ file, files, table, kind }: JobRecord): string {
  if (files && !file) return files.total === null ? 'files' : count(files.total, 'file')
  return file ?? table ?? kindLabels[kind]
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
  if (state === 'stopped' && stoppedBy) return `stopped by ${stoppedBy}`
  const counted = files ? `${filesDone(files)} · ` : ''
  if (totalBytes === null) return counted + formatBytes(bytes)
  return `${counted}${formatBytes(bytes)} of ${formatBytes(totalBytes)}`
}

/** `5 of 12 files`, and those that failed. */
export function filesDone({ done, total, failed }: NonNullable<JobRecord['files']>): string {
  const whole = total === null ? count(done, 'file') : `${done.toLocaleString('en')} of ${count(total, 'file')}`
  return failed > 0 ? `${whole}, ${failed.toLocaleString('en')} failed` : whole
}
