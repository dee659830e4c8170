import { setTimeout as sleep } from 'node:timers/promises'
import type { JobKind, JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import type { Progress } from '../progress.js'

export interface SlotWait {
  /** What waits. */
  name: string
  /** At most; null rejects at once. */
  waitSeconds: number | null
  signal: AbortSignal
}

/**
 * Runs an attempt that the server rejects while another job of the account has the slot. If it may wait, it reports the
 * blocking job and retries, waiting in the server's queue: repeatedly, because behind a proxy each wait is short.
 */
export async function waitForSlot<T>(
  { progress, note }: { progress: Progress; note(text: string): void },
  { name, waitSeconds, signal }: SlotWait,
  attempt: (waitSeconds: number | null) => Promise<T>,
): Promise<T> {
  const until = performance.now() + (waitSeconds ?? 0) * 1000
  for (let seconds: number | null = null; ; ) {
    const startedAt = performance.now()
    try {
      return await attempt(seconds)
    } catch (error) {
      const isRefused = error instanceof Problem && error.code === 'job-running'
      const left = Math.ceil((until - performance.now()) / 1000)
      if (!isRefused || left <= 0 || signal.aborted) throw error
      if (seconds === null) {
        progress.end()
        note(`${formatBlocking(error.details.job as JobRecord | undefined)}: waiting …`)
      } else if (performance.now() - startedAt < leastMs) {
        // The queue is full.
        await sleep(leastMs, undefined, { signal }).catch(() => signal.throwIfAborted())
      }
      progress.say(`${name}: waiting`)
      seconds = left
    }
  }
}

const leastMs = 1_000

function formatBlocking(job: JobRecord | undefined): string {
  if (!job) return 'Another job of your account is running'
  const what = job.file ?? job.table
  return `Your account is already ${doing[job.kind]}${what === null ? '' : ` ${what}`}`
}

const doing: Record<JobKind, string> = {
  upload: 'uploading',
  export: 'exporting',
  import: 'importing',
  query: 'running a query',
}
