import type { JobKind, JobRecord } from '../../protocol/jobs.js'
import { isProblemCode, Problem } from '../../protocol/problems.js'
import { jobPath } from '../../protocol/routes.js'
import { unreachable } from '../answers.js'
import type { Api } from '../api.js'
import { Failure } from '../exit-codes.js'
import { isEndedByPause, isWorthRetrying } from './retries.js'

/**
 * Asks what became of a job whose connection broke, because a stop looks like any other cut from here. Throws the Problem of
 * a job that was stopped, or failed for a reason of its own; a job that the server does not know, or that broke for it too,
 * is none. Throws also when the server cannot be asked, so that a stopped transfer is never taken up again.
 */
export async function refuseEnded(api: Api, jobId: string): Promise<void> {
  const job = await findEnded(api, jobId)
  if (job?.state === 'stopped') throw stopped(job.kind, job.file ?? job.table ?? job.id, job.stoppedBy)
  const code = job?.state === 'failed' ? job.error?.code : undefined
  if (!job?.error || !isProblemCode(code)) return
  const problem = new Problem(code, job.error.message, { ...job.error, job })
  if (!broken.includes(code) || isEndedByPause(problem)) throw problem
}

/**
 * The same, as soon as a connection has broken: answers whether the server could be asked. Throws only what `refuseEnded` has
 * found out.
 */
export async function askEnded(api: Api, jobId: string): Promise<boolean> {
  try {
    await refuseEnded(api, jobId)
    return true
  } catch (error) {
    if (isWorthRetrying(error)) return false
    throw error
  }
}

/** These say of a job only that its connection broke, or that nobody took it up in time. */
const broken: readonly string[] = ['client-left', 'shutting-down', 'stalled', 'upload-gone']

/** Words the end of a transfer: who stopped what, which server could not be reached, and how to go on where that is possible. */
export function wordEnd(error: unknown, server: string, kind: JobKind, name: string, advice?: string): unknown {
  if (error instanceof Problem && error.code === 'job-stopped') return stopped(kind, name, error.details.stoppedBy)
  const worded = unreachable(server, error)
  if (advice === undefined || !(isWorthRetrying(error) || isEndedByPause(error))) return worded
  if (worded instanceof Problem) return new Problem(worded.code, `${worded.message} ${advice}`, worded.details)
  const words = worded instanceof Error ? worded.message : String(worded)
  return new Failure('tryAgain', `${words} ${advice}`, { cause: worded })
}

function stopped(kind: JobKind, name: string, by: unknown): Problem {
  const who = typeof by === 'string' ? by : 'someone'
  return new Problem('job-stopped', `The ${kind} of ${name} was stopped by ${who}.`, { stoppedBy: who })
}

/** The server may notice the broken connection after we do. */
const attempts = 5
const pauseMs = 200

async function findEnded(api: Api, jobId: string): Promise<JobRecord | undefined> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const job = await find(api, jobId)
    if (!job || job.endedAt !== null) return job
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return undefined
}

async function find(api: Api, jobId: string): Promise<JobRecord | undefined> {
  try {
    return await api.send<JobRecord>('GET', jobPath(jobId), { timeoutMs: 10_000 })
  } catch (error) {
    if (error instanceof Problem && error.code === 'job-not-found') return undefined
    throw error
  }
}
