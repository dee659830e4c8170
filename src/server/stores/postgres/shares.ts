import type { Share, ShareStore } from '../shares.js'
import type { Database } from './database.js'

/** `now`: the clock, in milliseconds since 1970; default `Date.now`. */
export function postgresShares(sql: Database, { now = Date.now }: { now?: () => number } = {}): ShareStore {
  const date = () => new Date(now())
  return {
    async create({ id, accountId, filename, createdAt, expiresAt }) {
      await sql`delete from shares where expires_at <= ${date()}`
      await sql`
        insert into shares (id, account_id, filename, created_at, expires_at)
        values (${id}, ${accountId}, ${filename}, ${createdAt}, ${expiresAt})`
    },

    async find(id) {
      const [row] = await sql<ShareRow[]>`select * from shares where id = ${id} and expires_at > ${date()}`
      return row && shareOf(row)
    },

    async list(accountId) {
      const rows = await sql<ShareRow[]>`
        select * from shares where account_id = ${accountId} and expires_at > ${date()} order by position`
      return rows.map(shareOf)
    },

    async remove(ids) {
      await sql`delete from shares where id = any(${ids})`
    },
  }
}

interface ShareRow extends Omit<Share, 'createdAt' | 'expiresAt'> {
  createdAt: Date
  expiresAt: Date
}

function shareOf({ id, accountId, filename, createdAt, expiresAt }: ShareRow): Share {
  return { id, accountId, filename, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() }
}
