import type { Clock } from '../../clock.js'
import { type RepeatedWork, repeatWork } from '../../concurrency/repeated-work.js'
import type { Database } from './database.js'

export interface HistoryLimitOptions {
  clock: Pick<Clock, 'every'>
  /** Ended jobs of all accounts together; default: a million. */
  maxJobs?: number
  /** Default: ten minutes. */
  intervalMs?: number
  /** Called once for each series of failures. */
  onError: (error: unknown) => void
}

/**
 * Limits the history. The accounts with the most jobs lose their oldest ones, so that one cannot displace the jobs of the
 * others. Every server tries, and one of them at a time does it.
 */
export function startHistoryLimit(database: Database, options: HistoryLimitOptions): RepeatedWork {
  const { clock, maxJobs = 1_000_000, intervalMs = 600_000, onError } = options
  const work = async () => {
    // In batches, so that no transaction holds rows for long.
    while (await trimSome(database, maxJobs));
  }
  return repeatWork(work, { clock, everyMs: intervalMs, onError })
}

/** Whether there may be more to remove. */
async function trimSome(database: Database, maxJobs: number): Promise<boolean> {
  return database.begin(async (sql) => {
    const [lock] = await sql<{ isFree: boolean }[]>`
      select pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' history limit', 0)) as is_free`
    if (!lock!.isFree) return false
    const counts = await sql<{ accountId: number; jobs: number }[]>`
      select account_id, count(*)::bigint as jobs from jobs where ended_at is not null group by account_id`
    const limit = limitOfEach(
      counts.map(({ jobs }) => jobs),
      maxJobs,
    )
    const largest = counts.find(({ jobs }) => jobs > limit)
    if (!largest) return false
    const excess = Math.min(batchSize, largest.jobs - limit)
    await sql`
      with gone as (
        delete from jobs where id in (
          select id from jobs where account_id = ${largest.accountId} and ended_at is not null order by seq limit ${excess})
        returning id
      )
      delete from job_file_lists using gone where job = gone.id`
    return true
  })
}

/** The number of jobs that each account keeps at most, so that all together have `max`. */
export function limitOfEach(counts: number[], max: number): number {
  const sorted = [...counts].sort((a, b) => a - b)
  let left = max
  for (const [index, count] of sorted.entries()) {
    const share = Math.floor(left / (sorted.length - index))
    if (count > share) return share
    left -= count
  }
  return Number.POSITIVE_INFINITY
}

const batchSize = 5000
