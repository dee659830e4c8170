import type { FileList, FileRecord } from '../protocol/files.js'
import type { JobList, JobRecord } from '../protocol/jobs.js'
import { parsePublished, publishedPath, routes } from '../protocol/routes.js'
import type { Api } from './api.js'

const pageSize = 1000

/**
 * All files with the prefix, page by page: one's own, or after `ops:NAME` those that the ops account publishes, whose
 * names then have that prefix too.
 */
export async function* listFiles(api: Api, prefix: string): AsyncGenerator<FileRecord> {
  const published = parsePublished(prefix)
  const path = published ? publishedPath(published.ops) : routes.files
  const begin = published ? `ops:${published.ops}/` : ''
  let cursor: string | undefined
  do {
    const query = { prefix: (published?.name ?? prefix) || undefined, limit: pageSize, cursor }
    const page = await api.send<FileList>('GET', path, { query })
    for (const file of page.files) yield { ...file, name: begin + file.name }
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
}

export interface JobListOptions {
  /** One or several, separated by commas. */
  state?: string | undefined
  kind?: string | undefined
  /** Includes all accounts (admins only). */
  all?: boolean | undefined
  /** `role:username`, for admins. */
  account?: string | undefined
  /** The code of a failure. */
  error?: string | undefined
  /** Jobs that ended then or later, or have not ended. */
  from?: string | undefined
}

/** Jobs, newest first, page by page. */
export async function* listJobs(
  api: Api,
  filter: JobListOptions,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<JobRecord> {
  let cursor: string | undefined
  let left = limit
  do {
    const query = {
      state: filter.state,
      kind: filter.kind,
      error: filter.error,
      from: filter.from,
      account: filter.all ? 'all' : filter.account,
      limit: Math.min(left, 100),
      cursor,
    }
    const page = await api.send<JobList>('GET', routes.jobs, { query })
    yield* page.jobs.slice(0, left)
    left -= page.jobs.length
    cursor = page.next ?? undefined
  } while (cursor !== undefined && left > 0)
}
