import type { JobRecord } from '../../protocol/jobs.js'
import { formatDuration } from '../../protocol/units.js'
import { say } from '../words/say.js'
import { ConfirmDialog } from './confirm-dialog.js'
import { isOfOther, stopQuestion, workedMs } from './stop-jobs.js'

/** Asks before a stop that would lose much, whichever view is shown. */
export function StopDialog() {
  const question = stopQuestion.value
  if (!question) return null
  const { jobs, stop } = question
  return (
    <ConfirmDialog
      title={say('stop.title', { count: jobs.length })}
      action={say('stop.stop')}
      onConfirm={stop}
      onClose={() => {
        stopQuestion.value = null
      }}
    >
      {reasonOf(jobs)}
    </ConfirmDialog>
  )
}

function reasonOf(jobs: readonly JobRecord[]): string {
  const [job] = jobs
  if (!job || jobs.length > 1) return say('stop.ofMany')
  return isOfOther(job)
    ? say('stop.ofOther', { account: job.account })
    : say('stop.ofWork', { time: formatDuration(workedMs(job)) })
}
