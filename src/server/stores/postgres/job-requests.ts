import type { JobChanges, JobRecord, Receipt } from '../../../protocol/jobs.js'
import { isProblemCode, Problem, type ProblemDetails } from '../../../protocol/problems.js'
import type { Clock } from '../../clock.js'
import type { Bus } from '../bus.js'
import type { OwnJobs } from '../remote-jobs.js'
import type { Database } from './database.js'
import { jsonText } from './json-text.js'
import type { NodeLease } from './node-lease.js'
import { retryUntilDone } from './retry.js'

/** As it stands in the row. */
export type RemoteRequest =
  | { do: 'stop'; by: string }
  | { do: 'pause' }
  | { do: 'resume' }
  | { do: 'change'; changes: JobChanges }
  | { do: 'hand-over' }

export type RemoteAnswer =
  | { receipt: Receipt }
  | { handedOver: true }
  | { record: JobRecord }
  | { problem: { code: string; message: string; details: ProblemDetails } }

export interface JobRequestsOptions {
  lease: Pick<NodeLease, 'id' | 'onBeat'>
  bus: Bus
  clock: Pick<Clock, 'after'>
  closing: AbortSignal
  onError: (error: unknown) => void
}

/**
 * Answers what other servers want of the jobs of this one, each request once. It looks into the rows when it is told to,
 * when messages may have been lost, and with each renewal of the lease.
 */
export function answerJobRequests(database: Database, own: OwnJobs, options: JobRequestsOptions): void {
  const { lease, bus, closing } = options
  const answering = new Set<string>()
  const lookSafely = () => void look().catch(() => {})
  bus.onMessage((message) => {
    if ('request' in message && !answering.has(message.request)) lookSafely()
  })
  bus.onGap(lookSafely)
  lease.onBeat(lookSafely)

  /** A failed look is repeated by those who ask. */
  async function look(): Promise<void> {
    if (closing.aborted) return
    const open = await database<OpenRequest[]>`
      select job_requests.id, job, asked_by, request from job_requests join jobs on jobs.id = job_requests.job
      where jobs.node = ${lease.id} and answer is null order by asked_at`
    for (const each of open) {
      if (answering.has(each.id)) continue
      answering.add(each.id)
      void answer(each).finally(() => answering.delete(each.id))
    }
  }

  async function answer({ id, job, askedBy, request }: OpenRequest): Promise<void> {
    const found = await handle(own, job, request).catch(answerOfError)
    await retryUntilDone(async () => {
      await database`
        update job_requests set answer = ${jsonText(found)}::text::json where id = ${id} and answer is null`
    }, options)
    bus.tell(askedBy, { answered: id })
  }
}

interface OpenRequest {
  id: string
  job: string
  askedBy: number
  request: RemoteRequest
}

async function handle(own: OwnJobs, job: string, request: RemoteRequest): Promise<RemoteAnswer> {
  switch (request.do) {
    case 'stop':
      return { receipt: await own.stop(job, request.by) }
    case 'pause':
      return { record: await own.pause(job) }
    case 'resume':
      return { record: await own.resume(job) }
    case 'change':
      return { record: await own.change(job, request.changes) }
    case 'hand-over':
      await own.handOver(job)
      return { handedOver: true }
  }
}

function answerOfError(error: unknown): RemoteAnswer {
  const { code, message, details } = error instanceof Problem ? error : new Problem('internal', String(error))
  return { problem: { code, message, details } }
}

export function problemOfAnswer({
  problem: { code, message, details },
}: Extract<RemoteAnswer, { problem: unknown }>): Problem {
  // A newer server may have problems that this one does not know.
  return new Problem(isProblemCode(code) ? code : 'internal', message, details)
}
