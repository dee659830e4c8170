import { signal } from '@preact/signals'
import type { JobRecord, Receipt } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { formatBytes } from '../../protocol/units.js'
import { me } from '../account.js'
import { callApi } from '../api.js'
import { say } from '../words/say.js'
import { toast, toastError, toastReceipt } from './toasts.js'

/** A stop that would lose much. */
export interface StopQuestion {
  jobs: readonly JobRecord[]
  stop(): Promise<void>
}

/** The one that the page asks; null: none. */
export const stopQuestion = signal<StopQuestion | null>(null)

/** Stops jobs and shows the receipts; asks first if that would lose another person's bytes, or minutes of work. */
export function stopJobs(jobs: readonly JobRecord[]): void {
  askToStop(jobs, () => stopNow(jobs))
}

export function stopJob(job: JobRecord): void {
  stopJobs([job])
}

/** Calls `stop`: at once or, if much would be lost, when the person has agreed. */
export function askToStop(jobs: readonly JobRecord[], stop: () => Promise<void>): void {
  if (jobs.some((job) => isOfOther(job) || workedMs(job) >= minuteMs)) stopQuestion.value = { jobs, stop }
  else void stop()
}

/** Also that of a link: who sends or fetches by it is another person. */
export function isOfOther({ account }: JobRecord): boolean {
  return account !== me.peek()?.account
}

/** Since it began; 0 for one that waits. */
export function workedMs({ startedAt, state }: JobRecord): number {
  return startedAt === null || state === 'waiting' ? 0 : Date.now() - Date.parse(startedAt)
}

/** A message for each of several would cover the page. */
async function stopNow(jobs: readonly JobRecord[]): Promise<void> {
  const settled = await Promise.allSettled(jobs.map(({ id }) => callApi<Receipt>('POST', jobPath(id, 'stop'))))
  const receipts = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const [first] = receipts
  if (first && jobs.length === 1) toastReceipt(first)
  else if (first) {
    const bytes = receipts.reduce((sum, { bytesDiscarded }) => sum + bytesDiscarded, 0)
    const text = say('transfers.stoppedText', { bytes: formatBytes(bytes) })
    toast({ tone: 'good', title: say('transfers.stopped', { count: receipts.length }), text })
  }
  const failure = settled.find((each) => each.status === 'rejected')
  if (!failure) return
  const count = jobs.length - receipts.length
  const title = jobs.length === 1 ? say('transfers.notStopped') : say('transfers.notStoppedMany', { count })
  toastError(title, failure.reason)
}

const minuteMs = 60_000
