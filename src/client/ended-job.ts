import type { JobDetailsRecord } from '../protocol/jobs.js'
import { isProblemCode } from '../protocol/problems.js'
import { jobPath } from '../protocol/routes.js'
import type { Api } from './api.js'
import { FilejobsError, hasCode } from './errors.js'
import { waitMs } from './time-limit.js'

/**
 * Asks the server what happened to a job whose connection broke, because a stop cannot be distinguished from a network
 * failure. Throws the error of a job that was stopped, with its receipt, or failed for another reason; an unknown job, or
 * one that failed because of the connection, is no error. Throws also if the server cannot be reached, so that a stopped
 * transfer is never resumed.
 */
export async function checkNotEnded(api: Api, id: string, signal: AbortSignal): Promise<void> {
  const job = await findEnded(api, id, signal)
  if (job?.state === 'stopped') throw stoppedError(job)
  const { code, message = '' } = (job?.state === 'failed' && job.error) || {}
  if (job && isProblemCode(code) && !broken.includes(code)) throw new FilejobsError(code, message, { problem: { job } })
}

/** An error `job-stopped` with the receipt of the job, if the server still has it; any other error as it is. */
export async function withReceipt(api: Api, id: string, error: unknown): Promise<unknown> {
  if (!hasCode(error, 'job-stopped') || error.receipt) return error
  const job = await find(api, id).catch(() => undefined)
  return job?.receipt ? stoppedError(job, error) : error
}

function stoppedError(job: JobDetailsRecord, cause?: FilejobsError): FilejobsError {
  const { kind, stoppedBy, receipt } = job
  const words = `The ${kind} of ${job.file ?? job.table ?? job.id} was stopped by ${stoppedBy ?? 'someone'}.`
  return new FilejobsError('job-stopped', words, {
    status: cause?.status ?? null,
    problem: { job, stoppedBy },
    receipt,
    cause,
  })
}

/** These only mean that the job's connection broke, or that it was not resumed in time. */
const broken: readonly string[] = ['client-left', 'shutting-down', 'stalled', 'upload-gone']

/** The server may detect the broken connection later than the client. */
const attempts = 5
const pauseMs = 200

async function findEnded(api: Api, id: string, signal: AbortSignal): Promise<JobDetailsRecord | undefined> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const job = await find(api, id)
    if (!job || job.endedAt !== null) return job
    await waitMs(pauseMs, signal)
  }
  return undefined
}

async function find(api: Api, id: string): Promise<JobDetailsRecord | undefined> {
  try {
    return await api.send<JobDetailsRecord>('GET', jobPath(id), { timeoutMs: 10_000 })
  } catch (error) {
    if (hasCode(error, 'job-not-found')) return undefined
    throw error
  }
}
