import type { JobRecord } from '../../../protocol/jobs.js'
import type { Clock } from '../../clock.js'
import { type RepeatedWork, repeatWork } from '../../concurrency/repeated-work.js'
import { endedWithServer, expired } from '../lost-jobs.js'
import type { Database, Transaction } from '../postgres/database.js'
import { jsonText } from '../postgres/json-text.js'
import { discardUnpublished } from './objects.js'

export interface InterruptedUploadsOptions {
  clock: Pick<Clock, 'every'>
  /** How long an upload is kept that no server runs. */
  keepMs: number
  /** Called with the record of each job that has ended. */
  onRecord: (record: JobRecord, accountId: number) => void
  /** Called once for each series of failures. */
  onError: (error: unknown) => void
}

/** Ends uploads that no server runs, because their clients do not return. Every server does it. */
export function startInterruptedUploads(database: Database, options: InterruptedUploadsOptions): RepeatedWork {
  const { clock, keepMs, onRecord, onError } = options
  const work = async () => {
    const ended = await database.begin((sql) => endExpired(sql, keepMs))
    for (const { record, accountId } of ended) onRecord(record, accountId)
    await removeLeftovers(database)
  }
  return repeatWork(work, { clock, everyMs: Math.min(60_000, Math.max(1000, keepMs / 4)), onError })
}

async function endExpired(sql: Transaction, keepMs: number): Promise<ExpiredRow[]> {
  const rows = await sql<ExpiredRow[]>`
    select jobs.id, jobs.account_id, jobs.record,
      partials.id is null or accounts.id is null as is_lost
    from jobs
      left join partials on partials.id = jobs.id
      left join accounts on accounts.id = jobs.account_id and not is_disabled
    where jobs.node is null and jobs.ended_at is null and jobs.is_resumable and (
      partials.id is null or accounts.id is null
      or partials.updated_at < clock_timestamp() - ${keepMs} * interval '1 millisecond')
    order by jobs.seq limit 1000 for update of jobs skip locked`
  const endedAt = new Date().toISOString()
  const ended = rows.map(({ isLost, record, ...row }) => {
    const { code, message, status } = isLost ? endedWithServer() : expired()
    const end = { state: 'failed', rate: null, endedAt, error: { code, message, status } } as const
    return { ...row, isLost, record: { ...record, ...end } }
  })
  for (const { id, record } of ended) {
    await sql`
      update jobs set state = ${record.state}, record = ${jsonText(record)}::text::json, ended_at = ${endedAt}
      where id = ${id}`
  }
  await discardPartials(
    sql,
    ended.map(({ id }) => id),
  )
  return ended
}

/** Removes the partials of jobs that end without a server, in the transaction that ends them. */
export async function discardPartials(sql: Transaction, ids: readonly string[]): Promise<void> {
  const gone = await sql<{ content: string | null }[]>`
    delete from partials where id = any(${[...ids]}) returning content`
  await discardUnpublished(
    sql,
    gone.flatMap(({ content }) => content ?? []),
  )
}

interface ExpiredRow {
  id: string
  accountId: number
  record: JobRecord
  isLost: boolean
}

/** Partials of jobs that have ended without their server, and those of streams of a job of many files whose server died. */
async function removeLeftovers(database: Database): Promise<void> {
  await database.begin(async (sql) => {
    const gone = await sql<{ content: string | null }[]>`
      delete from partials where state is not null and (
        exists (select from jobs where jobs.id = partials.id and ended_at < clock_timestamp() - interval '1 minute')
        or (node is null and not exists (select from jobs where jobs.id = partials.id)))
      returning content`
    await discardUnpublished(
      sql,
      gone.flatMap(({ content }) => content ?? []),
    )
  })
}
