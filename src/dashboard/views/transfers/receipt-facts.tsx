import type { Receipt } from '../../../protocol/jobs.js'
import { formatBytes, formatDuration } from '../../../protocol/units.js'
import { FactList } from '../../parts/fact-list.js'
import { say } from '../../words/say.js'

/** The receipt of a stopped job. */
export function ReceiptFacts({ receipt }: { receipt: Receipt }) {
  const { stoppedBy, bytesDiscarded, published, cleanedUp, tookMs } = receipt
  const nothingLeft = say(published ? 'job.nothingIncompleteLeft' : 'job.nothingLeft')
  const kept = published && { count: published.files, bytes: formatBytes(published.bytes) }
  const facts: [string, string | null][] = [
    [say('job.stoppedBy'), stoppedBy],
    [say('job.discarded'), formatBytes(bytesDiscarded)],
    [say('job.kept'), kept && say('job.keptFiles', kept)],
    [say('job.cleanedUp'), cleanedUp ? nothingLeft : say('job.notCleanedUp')],
    [say('job.took'), formatDuration(tookMs)],
  ]
  return (
    <section class="receipt-facts" aria-label={say('job.receipt')}>
      <h3>{say('job.receipt')}</h3>
      <FactList facts={facts} />
    </section>
  )
}
