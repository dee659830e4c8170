import type { JobRecord, Receipt } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { formatBytes } from '../../protocol/units.js'
import { callApi } from '../api.js'
import { applyEvents } from '../live/job-store.js'
import { say } from '../words/say.js'
import { toast, toastError, toastReceipt } from './toasts.js'

/** Stops a job and shows the receipt. */
export async function stopJob({ id }: JobRecord): Promise<void> {
  try {
    toastReceipt(await callApi<Receipt>('POST', jobPath(id, 'stop')))
  } catch (error) {
    toastError(say('transfers.notStopped'), error)
  }
}

/** Stops jobs, and says how many ended: a message for each would cover the page. */
export async function stopJobs(jobs: readonly JobRecord[]): Promise<void> {
  const [job] = jobs
  if (jobs.length === 1 && job) return stopJob(job)
  const settled = await Promise.allSettled(jobs.map(({ id }) => callApi<Receipt>('POST', jobPath(id, 'stop'))))
  const receipts = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  if (receipts.length > 0) {
    const bytes = receipts.reduce((sum, { bytesDiscarded }) => sum + bytesDiscarded, 0)
    const text = say('transfers.stoppedText', { bytes: formatBytes(bytes) })
    toast({ tone: 'good', title: say('transfers.stopped', { count: receipts.length }), text })
  }
  const failure = settled.find((each) => each.status === 'rejected')
  if (failure) {
    toastError(say('transfers.notStoppedMany', { count: jobs.length - receipts.length }), failure.reason)
  }
}

export async function pauseJob({ id }: JobRecord): Promise<void> {
  await change(say('transfers.notPaused'), () => callApi<JobRecord>('POST', jobPath(id, 'pause')))
}

export async function resumeJob({ id }: JobRecord): Promise<void> {
  await change(say('transfers.notResumed'), () => callApi<JobRecord>('POST', jobPath(id, 'resume')))
}

/** Bytes per second from now on; null for no limit. */
export async function limitJob({ id }: JobRecord, rateLimit: number | null): Promise<void> {
  await change(say('transfers.notLimited'), () => callApi<JobRecord>('PATCH', jobPath(id), { json: { rateLimit } }))
}

async function change(failure: string, request: () => Promise<JobRecord>): Promise<void> {
  try {
    // Shown at once, before the event arrives.
    applyEvents([{ id: '', event: 'job', job: await request() }])
  } catch (error) {
    toastError(failure, error)
  }
}
