import pLimit from 'p-limit'
import type { Clock } from '../../clock.js'
import { type RepeatedWork, repeatWork } from '../../concurrency/repeated-work.js'
import type { Database } from '../postgres/database.js'
import type { Bucket } from './bucket.js'
import { discardUnpublished, garbage, passesOfFailed } from './objects.js'
import { discardStage } from './staged-rows.js'

export interface GarbageCollectorOptions {
  bucket: Bucket
  clock: Clock
  /** Default: a second. */
  intervalMs?: number
  /** Called once for each series of failures. */
  onError: (error: unknown) => void
}

/** Removes objects that are garbage. Every server does it; it does not matter which comes first. */
export function startGarbageCollector(database: Database, options: GarbageCollectorOptions): RepeatedWork {
  const { bucket, clock, intervalMs = 1000, onError } = options
  const removals = pLimit(8)

  async function work(closing: AbortSignal): Promise<void> {
    await discardOrphans(database)
    for (;;) {
      const due = await takeDue(database)
      const results = await Promise.allSettled(due.map(({ key }) => removals(() => remove(key, closing))))
      for (const result of results) if (result.status === 'rejected') throw result.reason
      if (due.length < batchSize || closing.aborted) break
    }
  }

  async function remove(key: string, signal: AbortSignal): Promise<void> {
    await bucket.delete(key, signal)
    await database`delete from objects where key = ${key} and passes <= 1`
    await database`
      update objects set passes = passes - 1,
        not_before = clock_timestamp() + case passes when ${passesOfFailed} then interval '1 minute' else interval '1 hour' end
      where key = ${key}`
  }

  return repeatWork(work, { clock, everyMs: intervalMs, onError })
}

/** What dead servers left: stages, partials that cannot be resumed, and objects that belong to neither. */
async function discardOrphans(database: Database): Promise<void> {
  await database.begin(async (sql) => {
    const stages = await sql<{ id: string }[]>`
      select id from stages where node is null limit ${batchSize} for update skip locked`
    for (const { id } of stages) await discardStage(sql, id)
    const gone = await sql<{ content: string | null }[]>`
      delete from partials where id in (
        select id from partials where node is null and state is null limit ${batchSize} for update skip locked)
      returning content`
    await discardUnpublished(
      sql,
      gone.flatMap(({ content }) => content ?? []),
    )
  })
  await database`
    update objects set ${garbage(database)}, passes = ${passesOfFailed}
    where (state = 'pending' and node is null) or (
      state in ('pending', 'stored')
      and (node is null or not exists (
        select from objects as newer
        where newer.content = objects.content and newer.created_at >= clock_timestamp() - ${maxUnpublished}::interval))
      and not exists (select from partials where partials.content = objects.content)
      and not exists (select from staged_files where staged_files.content = objects.content))`
}

/**
 * Objects that belong to no partial and no stage are published within this time after the last one of their content, or their
 * server could not say that they will not be.
 */
const maxUnpublished = '1 hour'

/** No other server takes these for a minute. */
async function takeDue(database: Database): Promise<{ key: string }[]> {
  return database<{ key: string }[]>`
    update objects set not_before = clock_timestamp() + interval '1 minute'
    where key in (
      select key from objects
      where state = 'garbage' and not_before <= clock_timestamp()
        and not exists (select from object_readers where object_readers.content = objects.content)
      order by not_before limit ${batchSize} for update skip locked)
    returning key`
}

const batchSize = 200
