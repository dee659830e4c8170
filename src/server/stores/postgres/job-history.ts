import { jobKinds } from '../../../protocol/job-kinds.js'
import type { JobState } from '../../../protocol/jobs.js'
import type { Clock } from '../../clock.js'
import { deferred } from '../../concurrency/deferred.js'
import { KeyedMutex } from '../../concurrency/keyed-mutex.js'
import type { HistoryEntry, JobHistory } from '../history.js'
import type { JobFilter } from '../job-filter.js'
import type { Database } from './database.js'
import { entryColumns, entryOfRow, type HistoryRow } from './job-rows.js'
import { jsonText } from './json-text.js'
import type { NodeLease } from './node-lease.js'
import { retryUntilDone } from './retry.js'

export interface PostgresHistoryOptions {
  lease: Pick<NodeLease, 'id' | 'ownerOf' | 'disown'>
  clock: Pick<Clock, 'after'>
  /** Aborted when the server closes: what cannot be written by then is not. */
  closing: AbortSignal
  /** Called when an entry cannot be written, once, and when it was refused because others have ended the job. */
  onError: (error: unknown) => void
}

export interface PostgresHistory extends JobHistory {
  /** Resolves when everything is recorded, or after 5 s if the database does not answer. */
  close(): Promise<void>
}

/** The history in the rows of the jobs: only the server that runs a job writes to its row. */
export function postgresHistory(
  database: Database,
  { lease, clock, closing, onError }: PostgresHistoryOptions,
): PostgresHistory {
  /** The entries of a job in the order of the calls. */
  const writes = new KeyedMutex()
  const pending = new Set<Promise<void>>()

  /** Each entry once: a job that has ended stays as it is. */
  async function write({ seq, accountId, job, query, ...rest }: HistoryEntry): Promise<void> {
    const owner = lease.ownerOf(job.id)
    const node = owner ?? lease.id
    const { endedAt } = job
    const { receipt, published, uploaded } = rest
    const text = (value: unknown) => (value === undefined ? null : jsonText(value))
    const written = await database`
      insert into jobs (id, seq, kind, account, account_id, state, record, receipt, published, uploaded, query, ended_at, node)
      select ${job.id}, ${seq}, ${job.kind}, ${job.account}, ${accountId}, ${job.state}, ${text(job)}::text::json,
        ${text(receipt)}::text::json, ${text(published)}::text::json, ${text(uploaded)}::text::json, ${query?.replaceAll('\0', '\uFFFD') ?? null},
        ${endedAt}::timestamptz,
        case when ${endedAt}::timestamptz is null then ${node}::bigint end
      where exists (select from nodes where id = ${node})
      on conflict (id) do update set
        state = excluded.state, record = excluded.record, receipt = excluded.receipt, published = coalesce(excluded.published, jobs.published),
        uploaded = excluded.uploaded, query = excluded.query, account_id = excluded.account_id, ended_at = excluded.ended_at,
        node = case when excluded.ended_at is null or jobs.slot is not null then jobs.node end
      where jobs.ended_at is null
        and (jobs.node = ${node} or (jobs.node is null and ${owner === undefined}))
      returning id`
    if (endedAt !== null) lease.disown(job.id)
    if (written.length === 0 && !(await isRecorded(job))) {
      onError(new Error(`The ${job.kind} ${job.id} is not recorded as ${job.state}: others have ended it.`))
    }
  }

  /** The answer to an earlier try may have been lost with the connection. */
  async function isRecorded({ id, state, endedAt }: HistoryEntry['job']): Promise<boolean> {
    const same = await database`select from jobs where id = ${id} and state = ${state} and ended_at = ${endedAt}`
    return same.length > 0
  }

  function add(entry: HistoryEntry): Promise<void> {
    const adding = writes.run(entry.job.id, () => retryUntilDone(() => write(entry), { clock, closing, onError }))
    pending.add(adding)
    return adding.finally(() => pending.delete(adding))
  }

  const matches = ({ accountId, kind }: { accountId: number | null; kind?: string }) => database`
    ${accountId === null ? database`true` : database`account_id = ${accountId}`}
    and ${kind === undefined ? database`true` : database`kind = ${kind}`}`

  /**
   * Those of each kind and state come from an index, since there may be few of them among very many others. It has everything that
   * a filter looks at, so that no row is read in vain. No other index has the order of `-seq`, so that no statistics make the
   * database search the rare ones among all.
   */
  async function listRare(filter: JobFilter): Promise<HistoryEntry[]> {
    const { accountId, before, limit, kind, fromMs, toMs, failure } = filter
    const kinds = kind === undefined ? jobKinds : [kind]
    const states = failure === undefined ? (filter.states ?? endStates) : failedOf(filter.states)
    const timeOf = (ms: number) => database`${new Date(ms).toISOString()}::timestamptz`
    const rows = await database<HistoryRow[]>`
      select found.* from unnest(${[...kinds]}::text[]) as wanted (kind), unnest(${states}::text[]) as ended (state),
        lateral (
          select ${entryColumns(database)} from jobs
          where ended_at is not null and jobs.kind = wanted.kind and jobs.state = ended.state
            and ${accountId === null ? database`true` : database`account_id = ${accountId}`}
            and ${before === undefined ? database`true` : database`-seq > -${before}::bigint`}
            and ${fromMs === undefined ? database`true` : database`ended_at >= ${timeOf(fromMs)}`}
            and ${toMs === undefined ? database`true` : database`ended_at < ${timeOf(toMs)}`}
            and ${failure === undefined ? database`true` : database`record #>> '{error,code}' = ${failure}`}
          order by -seq limit ${limit}
        ) as found
      order by seq desc limit ${limit}`
    return rows.map(entryOfRow)
  }

  return {
    note: add,
    end: add,

    async has(id) {
      return (await database`select from jobs where id = ${id}`).length > 0
    },

    async find(id) {
      const [row] = await database<HistoryRow[]>`select ${entryColumns(database)} from jobs where id = ${id}`
      return row && entryOfRow(row)
    },

    async list(filter) {
      const { accountId, before, limit } = filter
      if (isRare(filter)) return listRare(filter)
      const rows = await database<HistoryRow[]>`
        select ${entryColumns(database)} from jobs
        where ended_at is not null and ${matches({ accountId })}
          and ${before === undefined ? database`true` : database`seq < ${before}`}
        order by seq desc limit ${limit}`
      return rows.map(entryOfRow)
    },

    async close() {
      const late = deferred()
      const cancel = clock.after(closeMs, () => late.resolve())
      await Promise.race([Promise.all(pending), late.promise])
      cancel()
    },

    async unfinished(filter) {
      const rows = await database<HistoryRow[]>`
        select ${entryColumns(database)} from jobs where ended_at is null and ${matches(filter)} order by seq`
      return rows.map(entryOfRow)
    },

    async countUnfinished() {
      const rows = await database<{ accountId: number; jobs: number }[]>`
        select account_id, count(*) as jobs from jobs where ended_at is null group by account_id`
      return new Map(rows.map(({ accountId, jobs }) => [accountId, jobs]))
    },
  }
}

const closeMs = 5000
const endStates: JobState[] = ['done', 'stopped', 'failed']

/** Whether only some of the ended jobs of its accounts fit. */
function isRare({ states, kind, fromMs, toMs, failure }: JobFilter): boolean {
  return [states, kind, fromMs, toMs, failure].some((part) => part !== undefined)
}

function failedOf(states: JobState[] | undefined): JobState[] {
  return states === undefined || states.includes('failed') ? ['failed'] : []
}
