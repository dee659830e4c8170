import { useEffect } from 'preact/hooks'
import type { JobRecord } from '../../protocol/jobs.js'
import { onJobEnd } from '../live/job-store.js'

/**
 * Reloads shortly after the end of a job that `concerns` the view, and at most once a second during a series of ends,
 * which does not delay it further. `concerns` must stay the same function.
 */
export function useReloadAfter(concerns: (job: JobRecord) => boolean, reload: () => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let reloadedAt = Number.NEGATIVE_INFINITY
    const end = onJobEnd((job) => {
      if (timer !== undefined || !concerns(job)) return
      timer = setTimeout(
        () => {
          timer = undefined
          reloadedAt = performance.now()
          reload()
        },
        Math.max(soonMs, reloadedAt + leastPauseMs - performance.now()),
      )
    })
    return () => {
      clearTimeout(timer)
      end()
    }
  }, [concerns, reload])
}

const soonMs = 200
const leastPauseMs = 1000
