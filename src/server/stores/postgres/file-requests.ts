import {
  type FileRequest,
  type FileRequestStore,
  type RequestRefusal,
  type RequestReservation,
  refusalFor,
} from '../file-requests.js'
import { keepExpiredMs } from '../shares.js'
import type { Database, Transaction } from './database.js'
import { type RetryOptions, retryUntilDone } from './retry.js'

export interface PostgresFileRequestsOptions extends RetryOptions {
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
}

/** The rows of `file_requests`. What uploads have taken are rows, too, of which those of jobs that failed do not count. */
export function postgresFileRequests(
  sql: Database,
  { now = Date.now, ...retry }: PostgresFileRequestsOptions,
): FileRequestStore {
  const isKept = () => sql`least(expires_at, revoked_at) > ${new Date(now() - keepExpiredMs)}`
  return {
    async create(request) {
      const { id, accountId, folder, createdAt, expiresAt, revokedAt, passwordHash, note } = request
      const { maxFiles, maxBytes, maxFileBytes, files, bytes, opened } = request
      await sql`delete from file_requests where not ${isKept()}`
      await sql`
        insert into file_requests (id, account_id, folder, created_at, expires_at, revoked_at, password_hash, max_files,
          max_bytes, max_file_bytes, files, bytes, opened, note)
        values (${id}, ${accountId}, ${folder}, ${createdAt}, ${expiresAt}, ${revokedAt}, ${passwordHash}, ${maxFiles},
          ${maxBytes}, ${maxFileBytes}, ${files}, ${bytes}, ${opened}, ${note})`
    },

    async find(id) {
      const [row] = await sql<RequestRow[]>`select * from file_requests where id = ${id} and ${isKept()}`
      return row && requestOf(row)
    },

    async list(accountId) {
      const rows = await sql<RequestRow[]>`
        select * from file_requests where account_id = ${accountId} and ${isKept()} order by position`
      return rows.map(requestOf)
    },

    async revoke(ids, revokedAt) {
      await sql`update file_requests set revoked_at = ${revokedAt} where id = any(${ids}) and revoked_at is null`
    },

    async remove(ids) {
      await sql`delete from file_requests where id = any(${ids})`
    },

    async reserve(id, reservation) {
      return sql.begin(async (transaction): Promise<RequestRefusal | null> => {
        // Uploads by one link are admitted and counted one after the other.
        const [request] = await transaction<RequestRow[]>`
          select * from file_requests where id = ${id} and ${isKept()} for update`
        if (!request) return 'revoked'
        await transaction`
          delete from request_reservations using jobs
          where request = ${id} and jobs.id = job and ended_at is not null and state <> 'done'`
        const [others] = await transaction<{ files: number; bytes: number }[]>`
          select coalesce(sum(files), 0)::bigint as files, coalesce(sum(bytes), 0)::bigint as bytes
          from request_reservations where request = ${id} and job <> ${reservation.job}`
        const refusal = refusalFor(requestOf(request), {
          files: request.files + others!.files + reservation.files,
          bytes: request.bytes + others!.bytes + reservation.bytes,
        })
        if (refusal === null) await take(transaction, id, reservation)
        return refusal
      })
    },

    async restore(id, reservation) {
      await take(sql, id, reservation)
    },

    async receive(job, bytes) {
      const count = () =>
        sql.begin(async (transaction) => {
          // The request first, as its removal does, or the two could wait for each other.
          await transaction`
            select from file_requests where id = (select request from request_reservations where job = ${job}) for update`
          await transaction`
            with arrived as (delete from request_reservations where job = ${job} returning request, files)
            update file_requests set files = file_requests.files + arrived.files, bytes = bytes + ${bytes}
            from arrived where id = arrived.request`
        })
      await retryUntilDone(async () => void (await count()), retry)
    },

    async release(job) {
      await retryUntilDone(async () => {
        await sql`delete from request_reservations where job = ${job}`
      }, retry)
    },

    async countOpening(id) {
      await sql`update file_requests set opened = opened + 1 where id = ${id}`
    },
  }
}

async function take(
  sql: Database | Transaction,
  request: string,
  { job, files, bytes }: RequestReservation,
): Promise<void> {
  await sql`
    insert into request_reservations (job, request, files, bytes)
    select ${job}, id, ${files}, ${bytes} from file_requests where id = ${request}
    on conflict (job) do update set files = excluded.files, bytes = excluded.bytes`
}

interface RequestRow extends Omit<FileRequest, 'createdAt' | 'expiresAt' | 'revokedAt'> {
  createdAt: Date
  expiresAt: Date
  revokedAt: Date | null
}

function requestOf(row: RequestRow): FileRequest {
  const { id, accountId, folder, passwordHash, maxFiles, maxBytes, maxFileBytes, files, bytes, opened, note } = row
  const [createdAt, expiresAt] = [row.createdAt.toISOString(), row.expiresAt.toISOString()]
  const revokedAt = row.revokedAt?.toISOString() ?? null
  const terms = { passwordHash, maxFiles, maxBytes, maxFileBytes, note }
  return { id, accountId, folder, createdAt, expiresAt, revokedAt, ...terms, files, bytes, opened }
}
