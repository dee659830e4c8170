import type { PendingQuery, Row } from 'postgres'
import type { SessionStore, StoredSession } from '../sessions.js'
import type { Database, Transaction } from './database.js'

export interface PostgresSessionsOptions {
  /** Maximum live sessions per account; default 50. */
  perAccount?: number
  /** How long a recorded use may be unwritten; default a minute. */
  writeAfterMs?: number
  /** The clock, in milliseconds since 1970, which also judges the tokens of the sessions; default `Date.now`. */
  now?: () => number
  /** Called if the last uses could not be written, which is no reason to fail. */
  onUsesLost?: (error: unknown) => void
}

/** `close` writes the last uses. */
export function postgresSessions(
  database: Database,
  { perAccount = 50, writeAfterMs = 60_000, now = Date.now, onUsesLost = () => {} }: PostgresSessionsOptions = {},
): SessionStore & { close(): Promise<void> } {
  /** Uses that this server has recorded and not yet written. */
  let uses = new Map<string, string>()
  let timer: NodeJS.Timeout | null = null

  async function writeUses(): Promise<void> {
    if (timer) clearTimeout(timer)
    timer = null
    if (uses.size === 0) return
    const written = uses
    uses = new Map()
    try {
      await database`
        update sessions set last_used_at = greatest(last_used_at, used.at)
        from unnest(${[...written.keys()]}::text[], ${[...written.values()]}::text[]::timestamptz[]) as used (id, at)
        where sessions.id = used.id`
    } catch (error) {
      // Newer ones win.
      uses = new Map([...written, ...uses])
      throw error
    }
  }

  const asOfNow = (row: SessionRow) => sessionOf(row, uses.get(row.id))
  const date = () => new Date(now())

  return {
    async create(session) {
      await writeUses()
      const removed = await database.begin(async (sql) => {
        await sql`select pg_advisory_xact_lock(hashtextextended('sessions', ${session.accountId}))`
        await deleteSessions(sql, sql`expires_at <= ${date()}`)
        const evicted = await deleteSessions(
          sql,
          sql`id in (
            select id from sessions where account_id = ${session.accountId}
            order by last_used_at desc, position desc offset ${perAccount - 1}
          )`,
        )
        const { id, accountId, client, createdAt, lastUsedAt, expiresAt, refreshId = null } = session
        await sql`
          insert into sessions (id, account_id, client, created_at, last_used_at, expires_at, refresh_id)
          values (${id}, ${accountId}, ${client}, ${createdAt}, ${lastUsedAt}, ${expiresAt}, ${refreshId})`
        return evicted
      })
      return { removed: removed.map(asOfNow) }
    },

    async find(id) {
      const [row] = await database<SessionRow[]>`
        select * from sessions where id = ${id} and expires_at > ${date()}`
      return row && asOfNow(row)
    },

    async list(accountId) {
      const rows = await database<SessionRow[]>`
        select * from sessions where account_id = ${accountId} and expires_at > ${date()} order by position`
      return rows.map(asOfNow)
    },

    touch(id, at) {
      uses.set(id, at)
      timer ??= setTimeout(() => void writeUses().catch(onUsesLost), writeAfterMs).unref()
    },

    async rotate(id, from, to) {
      const rotated = await database`
        update sessions set refresh_id = ${to}
        where id = ${id} and refresh_id = ${from} and expires_at > ${date()}
        returning id`
      return rotated.length > 0
    },

    async lastSeen() {
      await writeUses().catch(onUsesLost)
      const rows = await database<{ id: number; at: Date }[]>`
        select id, max(at) as at
        from (
          select account_id as id, last_used_at as at from sessions
          union all select id, last_seen_at from accounts where last_seen_at is not null
        ) as seen
        group by id`
      return new Map(rows.map((row) => [row.id, row.at.toISOString()]))
    },

    async remove(ids) {
      await writeUses().catch(onUsesLost)
      const rows = await deleteSessions(database, database`id = any(${ids})`)
      const live = rows.filter((row) => row.expiresAt.getTime() > now()).map(asOfNow)
      for (const id of ids) uses.delete(id)
      return live.sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id))
    },

    async close() {
      await writeUses().catch(onUsesLost)
    },
  }
}

/** Deletes the sessions for which the condition holds, and notes when their accounts were last seen. */
function deleteSessions(sql: Database | Transaction, condition: PendingQuery<Row[]>): PromiseLike<SessionRow[]> {
  return sql<SessionRow[]>`
    with gone as (delete from sessions where ${condition} returning *),
    used as (select account_id, max(last_used_at) as at from gone group by account_id),
    seen as (
      update accounts set last_seen_at = greatest(last_seen_at, used.at) from used where accounts.id = used.account_id
    )
    select * from gone`
}

interface SessionRow {
  id: string
  accountId: number
  client: string
  createdAt: Date
  lastUsedAt: Date
  expiresAt: Date
  refreshId: string | null
}

function sessionOf(row: SessionRow, usedAt: string | undefined): StoredSession {
  const { id, accountId, client, refreshId } = row
  const lastUsedAt = Math.max(row.lastUsedAt.getTime(), usedAt === undefined ? 0 : Date.parse(usedAt))
  return {
    id,
    accountId,
    client,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: new Date(lastUsedAt).toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    ...(refreshId === null ? {} : { refreshId }),
  }
}
