import type { Api } from '../client/api.js'
import { listJobs } from '../client/listing.js'
import type { JobRecord } from '../protocol/jobs.js'
import { Problem } from '../protocol/problems.js'
import { Failure } from './exit-codes.js'

const pattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** A prefix of an id, long enough not to be a word. */
const beginning = /^(?=[0-9a-f]{4})[0-9a-f-]{4,35}$/i
const unfinished = 'waiting,running,paused,interrupted,committing'

/** Whether a text can be the id of a job or a prefix of one. */
export function isJobId(text: string): boolean {
  return pattern.test(text) || beginning.test(text)
}

/** A short prefix of an id. */
export function shortJobId(id: string): string {
  return id.slice(0, 8)
}

/**
 * Resolves an id, or a prefix that exactly one unfinished job has. Throws `job-not-found`, and a Failure if the text
 * cannot be an id or several jobs match.
 */
export async function findJobId(api: Api, text: string): Promise<string> {
  if (pattern.test(text)) return text
  if (!beginning.test(text)) {
    throw new Failure('wrongUse', `"${text}" is not the id of a job: see "filejobs jobs".`)
  }
  const found: JobRecord[] = []
  for await (const job of listVisible(api)) if (job.id.startsWith(text.toLowerCase())) found.push(job)
  const [job] = found
  if (found.length > 1) throw new Failure('wrongUse', `${found.length} jobs begin by ${text}: write more of the id.`)
  if (!job) throw new Problem('job-not-found', `There is no unfinished job "${text}": see "filejobs jobs".`)
  return job.id
}

/** The jobs that the account may control: all jobs for an admin. */
async function* listVisible(api: Api): AsyncGenerator<JobRecord> {
  try {
    yield* listJobs(api, { state: unfinished, all: true })
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'not-allowed') throw error
    yield* listJobs(api, { state: unfinished })
  }
}
