import type { JobKind, JobRecord } from '../../protocol/jobs.js'
import { isProblemCode, Problem } from '../../protocol/problems.js'
import { jobPath } from '../../protocol/routes.js'
import type { Api } from '../api.js'

/**
 * Asks what became of a job whose connection broke, because a stop looks like any other cut from here. Answers with the
 * ended job, or undefined when the server cannot be asked, does not know it or still believes that it runs. Throws the
 * Problem of a job that was stopped or failed for a reason of its own.
 */
export async function askFate(api: Api, jobId: string): Promise<JobRecord | undefined> {
  const job = await findEnded(api, jobId)
  if (!job) return undefined
  if (job.state === 'stopped') {
    const { kind, stoppedBy } = job
    throw nameStopped(new Problem('job-stopped', '', { stoppedBy }), kind, job.file ?? job.table ?? job.id)
  }
  if (job.state === 'failed' && job.error && isProblemCode(job.error.code) && job.error.code !== 'client-left') {
    throw new Problem(job.error.code, job.error.message, { job })
  }
  return job
}

/** Names what was stopped, and by whom, in the answer of a stopped transfer; other errors stay as they are. */
export function nameStopped(error: unknown, kind: JobKind, name: string): unknown {
  if (!(error instanceof Problem) || error.code !== 'job-stopped') return error
  const by = typeof error.details.stoppedBy === 'string' ? error.details.stoppedBy : 'someone'
  return new Problem('job-stopped', `The ${kind} of ${name} was stopped by ${by}.`, error.details)
}

/** The server may notice the broken connection after we do. */
const attempts = 5
const pauseMs = 200

async function findEnded(api: Api, jobId: string): Promise<JobRecord | undefined> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const job = await api.send<JobRecord>('GET', jobPath(jobId), { timeoutMs: 5_000 }).catch(() => undefined)
    if (!job) return undefined
    if (job.endedAt !== null) return job
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return undefined
}
