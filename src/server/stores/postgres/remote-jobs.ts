import { randomUUID } from 'node:crypto'
import type { JobRecord, Receipt } from '../../../protocol/jobs.js'
import type { Clock } from '../../clock.js'
import { deferred } from '../../concurrency/deferred.js'
import type { Bus } from '../bus.js'
import type { RemoteJob, RemoteJobs } from '../remote-jobs.js'
import type { Database } from './database.js'
import { changeIdleUpload, type IdleUploadControls } from './idle-uploads.js'
import { problemOfAnswer, type RemoteAnswer, type RemoteRequest } from './job-requests.js'
import { entryColumns, type HistoryRow } from './job-rows.js'
import { jsonText } from './json-text.js'
import type { NodeLease } from './node-lease.js'

export interface PostgresRemoteJobsOptions {
  lease: Pick<NodeLease, 'id' | 'confirm'>
  bus: Bus
  clock: Pick<Clock, 'after'>
  /** The interval at which a request is repeated until it is answered; default 250 ms. */
  repeatMs?: number
}

/** A request is a row, and a message to the job's server that is repeated until the row has an answer. */
export function postgresRemoteJobs(
  database: Database,
  { lease, bus, clock, repeatMs = 250 }: PostgresRemoteJobsOptions,
): RemoteJobs {
  const wake = new Map<string, () => void>()
  bus.onMessage((message) => {
    if ('answered' in message) wake.get(message.answered)?.()
  })

  async function ask(job: string, request: RemoteRequest): Promise<RemoteAnswer | undefined> {
    const id = randomUUID()
    try {
      for (;;) {
        const news = deferred()
        wake.set(id, () => news.resolve())
        const { answer, node, isEnded, receipt } = await put(id, job, request)
        if (answer) return answer
        if (isEnded) return request.do === 'stop' && receipt ? { receipt } : undefined
        if (node === null && request.do === 'hand-over') return undefined
        if (node === null && request.do !== 'stop') return withoutServer(job, request)
        if (node !== null) bus.tell(node, { request: id })
        const cancel = clock.after(repeatMs, () => news.resolve())
        await news.promise
        cancel()
      }
    } finally {
      wake.delete(id)
      // The answer does not wait for this. A request that stays is removed with the row of this server.
      void database`delete from job_requests where id = ${id}`.catch(() => {})
    }
  }

  /** A stop need not wait for a server that continues the job, nor does a change that such a server finds. */
  async function withoutServer(job: string, request: RemoteRequest): Promise<RemoteAnswer> {
    const controls = controlsOf(request)
    const record = controls && (await changeIdleUpload(database, job, controls))
    if (record) return { record }
    const message = 'The job is interrupted: no server runs it until its client returns.'
    return { problem: { code: 'not-running', message, details: {} } }
  }

  /** Again and again, since the row is gone if this server has lost its lease meanwhile. */
  async function put(id: string, job: string, request: RemoteRequest): Promise<RequestState> {
    const [state] = await database<RequestState[]>`
      with asked as (
        insert into job_requests (id, job, asked_by, request, is_stop)
        select ${id}, jobs.id, nodes.id, ${jsonText(request)}::text::json, ${request.do === 'stop'}
        from jobs, nodes where jobs.id = ${job} and jobs.ended_at is null and nodes.id = ${lease.id}
        on conflict (id) do nothing
      )
      select job_requests.answer, jobs.node, jobs.ended_at is not null as is_ended, jobs.receipt
      from jobs left join job_requests on job_requests.id = ${id} where jobs.id = ${job}`
    return state ?? { answer: null, node: null, isEnded: true, receipt: null }
  }

  function remoteJobOf({ id, seq, accountId, isResumable, isWaiting, record, storedBytes }: RemoteRow): RemoteJob {
    const change = async (request: RemoteRequest) => (await askOrThrow(id, request))?.record
    return {
      seq,
      accountId,
      isResumable,
      isWaiting,
      record,
      storedBytes,
      stop: async (by) => (await askOrThrow(id, { do: 'stop', by }))?.receipt,
      pause: () => change({ do: 'pause' }),
      resume: () => change({ do: 'resume' }),
      change: (changes) => change({ do: 'change', changes }),
      handOver: async () => void (await askOrThrow(id, { do: 'hand-over' })),
    }
  }

  async function askOrThrow(
    id: string,
    request: RemoteRequest,
  ): Promise<{ record?: JobRecord; receipt?: Receipt; handedOver?: true } | undefined> {
    const answer = await ask(id, request)
    if (answer && 'problem' in answer) throw problemOfAnswer(answer)
    return answer
  }

  const remoteColumns = () => database`${entryColumns(database)}, is_resumable, is_waiting,
    coalesce((select size from partials where is_resumable and partials.id = jobs.id), 0) as stored_bytes`
  const isRemote = () => database`ended_at is null and node is distinct from ${lease.id}`

  return {
    async find(id) {
      const [row] = await database<RemoteRow[]>`
        select ${remoteColumns()} from jobs where id = ${id} and ${isRemote()}`
      return row && remoteJobOf(row)
    },

    async unfinished(accountId, latest) {
      const rows = await database<RemoteRow[]>`
        select ${remoteColumns()} from jobs
        where ${isRemote()} and ${accountId === null ? database`true` : database`account_id = ${accountId}`}
          and ${latest?.before === undefined ? database`true` : database`-seq > -${latest.before}::bigint`}
        order by -seq ${latest ? database`limit ${latest.limit}` : database``}`
      return rows.reverse().map(remoteJobOf)
    },

    // The rows have no progress.
    async refresh() {},

    confirmOwn: () => lease.confirm(),
  }
}

function controlsOf(request: RemoteRequest): IdleUploadControls | undefined {
  if (request.do === 'resume') return { paused: false }
  if (request.do !== 'change' || request.changes.rateLimit === undefined) return undefined
  return { rateLimit: request.changes.rateLimit }
}

interface RemoteRow extends HistoryRow {
  isResumable: boolean
  isWaiting: boolean
  storedBytes: number
}

interface RequestState {
  answer: RemoteAnswer | null
  node: number | null
  isEnded: boolean
  /** Of a job that was stopped. */
  receipt: Receipt | null
}
