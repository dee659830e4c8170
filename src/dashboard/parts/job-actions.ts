import type { JobRecord } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { callApi } from '../api.js'
import { applyEvents } from '../live/job-store.js'
import { say } from '../words/say.js'
import { toastError } from './toasts.js'

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
