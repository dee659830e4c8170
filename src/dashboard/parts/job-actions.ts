import type { JobRecord, Receipt } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { callApi } from '../api.js'
import { applyEvents } from '../live/job-store.js'
import { toastError, toastReceipt } from './toasts.js'

/** Stops a job and shows the receipt. */
export async function stopJob({ id }: JobRecord): Promise<void> {
  try {
    toastReceipt(await callApi<Receipt>('POST', jobPath(id, 'stop')))
  } catch (error) {
    toastError('Not stopped', error)
  }
}

export async function pauseJob({ id }: JobRecord): Promise<void> {
  await change('Not paused', () => callApi<JobRecord>('POST', jobPath(id, 'pause')))
}

export async function resumeJob({ id }: JobRecord): Promise<void> {
  await change('Not resumed', () => callApi<JobRecord>('POST', jobPath(id, 'resume')))
}

/** Bytes per second from now on; null for no limit. */
export async function limitJob({ id }: JobRecord, rateLimit: number | null): Promise<void> {
  await change('Not limited', () => callApi<JobRecord>('PATCH', jobPath(id), { json: { rateLimit } }))
}

async function change(failure: string, request: () => Promise<JobRecord>): Promise<void> {
  try {
    // Shown at once, before the event arrives.
    applyEvents([{ id: '', event: 'job', job: await request() }])
  } catch (error) {
    toastError(failure, error)
  }
}
