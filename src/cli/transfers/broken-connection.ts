import type { Api } from '../../client/api.js'
import type { JobKind, JobRecord } from '../../protocol/jobs.js'
import { isProblemCode, Problem } from '../../protocol/problems.js'
import { jobPath } from '../../protocol/routes.js'
import { networkFailure } from '../answers.js'
import { Failure } from '../exit-codes.js'
import { isEndedByPause, isWorthRetrying } from './retries.js'

/**
 * Asks the server what happened to a job whose connection broke, because the client cannot distinguish a stop from a
 * network failure. Throws the Problem of a job that was stopped or failed for another reason; an unknown job, or one
 * that failed because of the connection, is no error. Throws also if the server cannot be reached, so that a stopped
 * transfer is never resumed.
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
 * The same, right after a connection broke: returns whether the server could be reached. Throws only what `refuseEnded`
 * finds.
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

/** These only mean that the job's connection broke, or that it was not resumed in time. */
const broken: readonly string[] = ['client-left', 'shutting-down', 'stalled', 'upload-gone']

/**
 * Formats the error of a transfer: who stopped it, which server could not be reached, and how to resume if that is
 * possible.
 */
export function wordEnd(error: unknown, server: string, kind: JobKind, name: string, advice?: string): unknown {
  if (error instanceof Problem && error.code === 'job-stopped') return stopped(kind, name, error.details.stoppedBy)
  const worded = networkFailure(server, error)
  if (advice === undefined || !(isWorthRetrying(error) || isEndedByPause(error))) return worded
  if (worded instanceof Problem) return new Problem(worded.code, `${worded.message} ${advice}`, worded.details)
  const words = worded instanceof Error ? worded.message : String(worded)
  return new Failure('tryAgain', `${words} ${advice}`, { cause: worded })
}

function stopped(kind: JobKind, name: string, by: unknown): Problem {
  const who = typeof by === 'string' ? by : 'someone'
  return new Problem('job-stopped', `The ${kind} of ${name} was stopped by ${who}.`, { stoppedBy: who })
}

/** The server may detect the broken connection later than the client. */
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
