import type { JobRecord } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { callApi } from '../api.js'
import { onJobEnd } from '../live/job-store.js'
import { healed } from '../live/shared-stream.js'
import { goTo } from '../router.js'
import { phrase, say } from '../words/say.js'
import { FileName } from './file-name.js'
import { toast } from './toasts.js'

/** Announces the end of an import that was started on this page, whichever view is shown by then. `href` leads to where it can be mended. */
export function announceImport({ id }: JobRecord, href: string): void {
  let isSaid = false
  const tell = (job: JobRecord) => {
    if (isSaid || job.id !== id || job.endedAt === null) return
    isSaid = true
    endListening()
    endAsking()
    const file = job.file && <FileName name={job.file} />
    if (job.state === 'done') {
      toast({
        tone: 'good',
        title: phrase('import.imported', { file }),
        text: say('amount.rows', { count: job.rows ?? 0 }),
      })
    }
    if (job.state === 'failed') {
      toast({
        tone: 'bad',
        title: phrase('import.notImported', { file }),
        text: job.error?.message,
        action: { label: say('import.mend'), run: () => goTo(href) },
        forMs: 20_000,
      })
    }
  }
  const endListening = onJobEnd(tell)
  // A short import ends before the page listens, and the end of another may have been missed.
  const endAsking = healed.subscribe(() => {
    callApi<JobRecord>('GET', jobPath(id))
      .then(tell)
      .catch(() => {})
  })
}
