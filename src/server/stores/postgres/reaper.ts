import type { PendingQuery, Row } from 'postgres'
import type { Publication } from '../../../protocol/folder-jobs.js'
import type { JobRecord } from '../../../protocol/jobs.js'
import type { Clock } from '../../clock.js'
import { type RepeatedWork, repeatWork } from '../../concurrency/repeated-work.js'
import { hasEnded, type ProcessIdentity } from '../common/process-identity.js'
import type { PublishedUpload } from '../history.js'
import { publishedTogether } from '../lost-jobs.js'
import type { Database, Transaction } from './database.js'
import { endOfOrphan, endOfPublished, type RecordedEnd, recordInterruption, recordOrphanEnd } from './job-deaths.js'
import { entryColumns, type HistoryRow } from './job-rows.js'
import { endNodes } from './node-end.js'
import type { NodeLease } from './node-lease.js'
import type { SlotKey } from './slot-key.js'

export interface ReaperOptions {
  lease: Pick<NodeLease, 'id' | 'process' | 'heldForMs' | 'leaseMs'>
  clock: Clock
  /** Gives the slots that have become free to jobs that wait. */
  grant: (key: SlotKey) => Promise<void>
  /** Completes the last record of a job of many files by those that it had published, each by itself. */
  restoreFiles: (job: JobRecord) => Promise<{ job: JobRecord; published: Publication }>
  /** Removes what had arrived of jobs, in the transaction that ends them. */
  discardPartials: (sql: Transaction, ids: readonly string[]) => Promise<void>
  /** Called with the record of each job whose server has died. */
  onRecord?: (record: JobRecord, accountId: number) => void
  /** Default: a second. */
  intervalMs?: number
  /** Called once for each series of failures. */
  onError: (error: unknown) => void
}

/**
 * Takes the jobs of servers that no longer renew their lease, or whose process is known to have ended. Every server does it; it
 * does not matter which comes first.
 */
export function startReaper(database: Database, options: ReaperOptions): RepeatedWork {
  const { lease, clock, grant, onRecord = () => {}, intervalMs = 1000, onError } = options
  const work = async () => {
    const freed = await deleteEndedNodes(database, lease.process)
    // After an outage of the database everyone renews first.
    if (lease.heldForMs >= lease.leaseMs) freed.push(...(await deleteExpiredNodes(database, lease.id)))
    for (const { accountId, record } of await endOrphans(database, options)) onRecord(record, accountId)
    for (const key of freed) await grant(key)
  }
  return repeatWork(work, { clock, everyMs: intervalMs, onError })
}

/** Deletes the rows of servers whose process is proven to have ended, before they expire. Returns the slots that have become free. */
async function deleteEndedNodes(database: Database, self: ProcessIdentity | undefined): Promise<SlotKey[]> {
  if (!self) return []
  const neighbours = await database<{ id: number; process: ProcessIdentity }[]>`
    select id, process from nodes where process->>'namespace' = ${self.namespace}`
  const ended: number[] = []
  for (const { id, process } of neighbours) if (await hasEnded(process, self)) ended.push(id)
  if (ended.length === 0) return []
  return database.begin((sql) => deleteNodes(sql, sql`id = any(${ended})`))
}

/**
 * Deletes the rows of expired servers. Returns the slots that have become free. A server that was suspended with others may come
 * here before it renews its own lease: then it deletes nothing.
 */
async function deleteExpiredNodes(database: Database, own: number): Promise<SlotKey[]> {
  return database.begin((sql) =>
    deleteNodes(
      sql,
      sql`expires_at < clock_timestamp()
        and exists (select from nodes as own where own.id = ${own} and own.expires_at >= clock_timestamp())`,
    ),
  )
}

/** Takes all claims from them. Others may do it at the same time. */
async function deleteNodes(sql: Transaction, condition: PendingQuery<Row[]>): Promise<SlotKey[]> {
  const rows = await sql<{ id: number }[]>`select id from nodes where ${condition} order by id for update skip locked`
  return rows.length === 0
    ? []
    : endNodes(
        sql,
        rows.map(({ id }) => id),
      )
}

/**
 * Jobs that no server runs have ended; a resumable one is continued by any server, unless it is to be stopped. Returns their
 * records.
 */
async function endOrphans(
  database: Database,
  { restoreFiles, discardPartials }: Pick<ReaperOptions, 'restoreFiles' | 'discardPartials'>,
): Promise<{ accountId: number; record: JobRecord }[]> {
  return database.begin(async (sql) => {
    const stops = sql`from job_requests where job = jobs.id and is_stop`
    const rows = await sql<OrphanRow[]>`
      select ${entryColumns(sql)}, is_resumable,
        (select request->>'by' ${stops} order by asked_at limit 1) as stopped_by,
        (select min(asked_at) ${stops}) as stopped_at,
        (select json_build_object('metadata', partials.state->>'metadata', 'sha256', sha256, 'entityTag', '"' || sha256 || '"')
          from partials left join files
            on files.account = (partials.state->'space'->>'role') || ':' || (partials.state->'space'->>'username')
            and name = partials.state->>'name' and files.size = (partials.state->>'length')::bigint
          where is_resumable and partials.id = jobs.id and partials.content is null) as published_last,
        exists (select from stages where stages.id = jobs.id) as is_staged
      from jobs
      where node is null and ended_at is null
        and (not is_resumable or state <> 'interrupted' or exists (select ${stops}))
      order by seq limit 1000 for update skip locked`
    const now = new Date()
    const recorded: { accountId: number; record: JobRecord }[] = []
    for (const row of rows) {
      const { id, accountId, record } = row
      const end = await endOf(row, restoreFiles, now)
      if (end) await recordOrphanEnd(sql, id, end)
      recorded.push({ accountId, record: end?.record ?? (await recordInterruption(sql, id, record)) })
    }
    // That of a job that is done names what it published, until the collector removes it.
    const discarded = recorded.filter(({ record }) => record.state === 'failed' || record.state === 'stopped')
    await discardPartials(
      sql,
      discarded.map(({ record }) => record.id),
    )
    return recorded
  })
}

/** null for a resumable job, which any server may continue. */
async function endOf(
  { record, published: together, publishedLast, isResumable, isStaged, stoppedBy, stoppedAt }: OrphanRow,
  restoreFiles: ReaperOptions['restoreFiles'],
  now: Date,
): Promise<RecordedEnd | null> {
  const uploaded = publishedLast
  if (together) {
    const job = publishedTogether(record, together, now.toISOString())
    return { record: job, receipt: null, published: together, uploaded }
  }
  if (uploaded) return { ...endOfPublished(record, now), published: null, uploaded }
  const stop = stoppedAt && { by: stoppedBy!, at: stoppedAt }
  if (isResumable && !stop) return null
  const { job, published } = record.files && !isStaged ? await restoreFiles(record) : { job: record, published: null }
  return { ...endOfOrphan(job, stop, now), published, uploaded }
}

interface OrphanRow extends HistoryRow {
  isResumable: boolean
  /** What was published before its end was recorded. */
  publishedLast: PublishedUpload | null
  /** Whether its files were to be published together. */
  isStaged: boolean
  stoppedBy: string | null
  stoppedAt: Date | null
}
