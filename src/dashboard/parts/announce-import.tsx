import type { JobRecord } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { send } from '../api.js'
import { onJobEnd } from '../live/job-store.js'
import { count } from '../words.js'
import { FileName } from './file-name.js'
import { toast } from './toasts.js'

/** Says how an import ended that was begun on this page, wherever the page is by then. */
export function announceImport({ id }: JobRecord): void {
  let isSaid = false
  const say = (job: JobRecord) => {
    if (isSaid || job.id !== id || job.endedAt === null) return
    isSaid = true
    endListening()
    const file = job.file && <FileName name={job.file} />
    if (job.state === 'done') toast({ tone: 'good', title: <>Imported {file}</>, text: count(job.rows ?? 0, 'row') })
    if (job.state === 'failed') {
      toast({ tone: 'bad', title: <>Not imported: {file}</>, text: job.error?.message, forMs: 20_000 })
    }
  }
  const endListening = onJobEnd(say)
  // A short one has ended before anybody could listen.
  send<JobRecord>('GET', jobPath(id))
    .then(say)
    .catch(() => {})
}
