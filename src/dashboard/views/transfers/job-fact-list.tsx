import type { JobRecord } from '../../../protocol/jobs.js'
import { formatBytes, formatDuration } from '../../../protocol/units.js'
import { FactList } from '../../parts/fact-list.js'
import { formatRate, timeLeft } from '../../words/amounts.js'
import { formatNumber, formatWholeTime } from '../../words/format.js'
import { say } from '../../words/say.js'
import { filesDone } from './job-words.js'

/** What is known of a job. */
export function JobFactList({ record }: { record: JobRecord }) {
  const { bytes, totalBytes, rate, rateLimit, rows, files, startedAt, endedAt } = record
  const took = startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : null
  const ofTotal = totalBytes !== null && { bytes: formatBytes(bytes), total: formatBytes(totalBytes) }
  const facts: [string, string | null][] = [
    [say('job.kind'), say(`kind.${record.kind}`)],
    [say('job.account'), record.account],
    [say('job.table'), record.table],
    [say('job.bytes'), ofTotal ? say('job.bytesOf', ofTotal) : formatBytes(bytes)],
    [say('job.files'), files && filesDone(files)],
    [say('job.rows'), rows === null ? null : formatNumber(rows)],
    [say('job.rate'), rate === null ? null : [formatRate(rate), timeLeft(record)].filter(Boolean).join(' · ')],
    [say('job.limit'), rateLimit === null ? null : formatRate(rateLimit)],
    [say('job.started'), startedAt && formatWholeTime(startedAt)],
    [say('job.ended'), endedAt && formatWholeTime(endedAt)],
    [say('job.took'), took === null ? null : formatDuration(took)],
    [say('job.average'), took ? formatRate((bytes / took) * 1000) : null],
    [say('job.failedFiles'), files?.failures.map(({ name, message }) => `${name}: ${message}`).join('\n') || null],
    [say('job.id'), record.id],
  ]
  return <FactList facts={facts} />
}
