import { useEffect, useRef, useState } from 'preact/hooks'
import type { JobList, JobRecord } from '../../../protocol/jobs.js'
import { routes } from '../../../protocol/routes.js'
import { callApi } from '../../api.js'
import { isCheck, onJobEnd } from '../../live/job-store.js'
import { healed } from '../../live/shared-stream.js'

export interface EndedJobs {
  jobs: readonly JobRecord[]
  /** undefined before the first page. */
  isComplete: boolean | undefined
  error: unknown
  /** Loads the next page, unless one is being loaded. */
  more(): void
}

/**
 * The ended jobs that fit, page by page, and those that end meanwhile. `parameters`: of `GET /jobs`; null for none. `fits` is asked for
 * jobs that end. Checks are left out.
 */
export function useEndedJobs(
  parameters: Record<string, string | undefined> | null,
  fits: (job: JobRecord) => boolean,
): EndedJobs {
  const key = JSON.stringify(parameters)
  const [state, setState] = useState<State>(emptyOf(key))
  const loading = useRef<AbortController | null>(null)
  const fitsNow = useRef(fits)
  fitsNow.current = fits
  const current = state.key === key ? state : emptyOf(key)

  async function load(cursor: string): Promise<void> {
    loading.current?.abort()
    const abort = new AbortController()
    loading.current = abort
    try {
      const query = { ...parameters, limit: pageSize, cursor }
      const page = await callApi<JobList>('GET', routes.jobs, { query, signal: abort.signal })
      const jobs = page.jobs.filter((job) => !isCheck(job))
      // One that has ended meanwhile may be missing in the page.
      setState((before) => ({ key, jobs: joined(before.key === key ? before.jobs : [], jobs), next: page.next }))
      // The end of a list that did not grow is not reached again.
      if (jobs.length === 0 && page.next !== null) await load(page.next)
    } catch (error) {
      if (!abort.signal.aborted) setState((before) => ({ ...(before.key === key ? before : emptyOf(key)), error }))
    } finally {
      if (loading.current === abort) loading.current = null
    }
  }

  // What was loaded before the connection broke may lack what has ended since.
  useEffect(() => {
    setState((before) => (before.key === key ? before : emptyOf(key)))
    if (parameters !== null) void load('')
    return () => loading.current?.abort()
  }, [key, healed.value])

  useEffect(
    () =>
      onJobEnd((job) => {
        if (fitsNow.current(job) && !isCheck(job))
          setState((before) => ({ ...before, jobs: joined([job], before.jobs) }))
      }),
    [],
  )

  return {
    jobs: current.jobs,
    isComplete: parameters === null || (current.next === '' ? undefined : current.next === null),
    error: current.error,
    more() {
      if (!loading.current && parameters !== null && current.next !== null) void load(current.next)
    },
  }
}

function emptyOf(key: string): State {
  return { key, jobs: [], next: '' }
}

function joined(first: readonly JobRecord[], then: readonly JobRecord[]): JobRecord[] {
  const known = new Set(first.map(({ id }) => id))
  return [...first, ...then.filter(({ id }) => !known.has(id))]
}

interface State {
  key: string
  jobs: readonly JobRecord[]
  /** The cursor of the next page: empty before the first, null after the last. */
  next: string | null
  error?: unknown
}

const pageSize = 50
