import { randomUUID } from 'node:crypto'
import { Problem } from '../../../protocol/problems.js'
import { keepExpiredMs, type Share, type ShareStore } from '../shares.js'
import type { Database } from './database.js'
import { jsonText } from './json-text.js'
import type { NodeLease } from './node-lease.js'
import { type RetryOptions, retryUntilDone } from './retry.js'

export interface PostgresSharesOptions extends RetryOptions {
  lease: Pick<NodeLease, 'id'>
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
}

/** The rows of `links`; what the release before sees of them is the view `shares`. */
export function postgresShares(sql: Database, { lease, now = Date.now, ...retry }: PostgresSharesOptions): ShareStore {
  const oldest = () => new Date(now() - keepExpiredMs)
  return {
    async create(share) {
      const {
        id,
        accountId,
        filename,
        names,
        createdAt,
        expiresAt,
        passwordHash,
        maxDownloads,
        downloads,
        opened,
        note,
      } = share
      await sql`delete from links where expires_at <= ${oldest()}`
      await sql`
        insert into links (id, account_id, filename, names, created_at, expires_at, password_hash, max_downloads, downloads,
          opened, note)
        values (${id}, ${accountId}, ${filename}, ${names && jsonText(names)}::text::json, ${createdAt}, ${expiresAt}, ${passwordHash}, ${maxDownloads},
          ${downloads}, ${opened}, ${note})`
    },

    async find(id) {
      const [row] = await sql<ShareRow[]>`select * from links where id = ${id} and expires_at > ${oldest()}`
      return row && shareOf(row)
    },

    async list(accountId) {
      const rows = await sql<ShareRow[]>`
        select * from links where account_id = ${accountId} and expires_at > ${oldest()} order by position`
      return rows.map(shareOf)
    },

    async remove(ids) {
      await sql`delete from links where id = any(${ids})`
    },

    async reserveDownload(id) {
      return sql.begin(async (transaction) => {
        // Downloads of one link are reserved and counted one after the other.
        const [link] = await transaction<Pick<Share, 'maxDownloads' | 'downloads'>[]>`
          select max_downloads, downloads from links where id = ${id} and expires_at > ${oldest()} for update`
        const [taken] = await transaction<{ count: number }[]>`
          select count(*)::int as count from link_downloads where link = ${id}`
        if (!link) return undefined
        const { maxDownloads, downloads } = link
        if (maxDownloads !== null && downloads + taken!.count >= maxDownloads) return undefined
        const reservation = randomUUID()
        const rows = await transaction`
          insert into link_downloads (id, link, node)
          select ${reservation}, ${id}, id from nodes where id = ${lease.id} returning id`
        if (rows.length === 0) throw new Problem('busy', 'The server is registering anew: try again.')
        return reservation
      })
    },

    async countDownload(reservation) {
      const count = () =>
        sql.begin(async (transaction) => {
          // The link first, as its removal does, or the two could wait for each other.
          await transaction`
            select from links where id = (select link from link_downloads where id = ${reservation}) for update`
          await transaction`
            with ended as (delete from link_downloads where id = ${reservation} returning link)
            update links set downloads = downloads + 1 where id in (select link from ended)`
        })
      await retryUntilDone(count, retry)
    },

    async releaseDownload(reservation) {
      await retryUntilDone(async () => {
        await sql`delete from link_downloads where id = ${reservation}`
      }, retry)
    },

    async countOpening(id) {
      await sql`update links set opened = opened + 1 where id = ${id}`
    },
  }
}

interface ShareRow extends Omit<Share, 'createdAt' | 'expiresAt'> {
  createdAt: Date
  expiresAt: Date
}

function shareOf(row: ShareRow): Share {
  const { id, accountId, filename, names, passwordHash, maxDownloads, downloads, opened, note } = row
  const [createdAt, expiresAt] = [row.createdAt.toISOString(), row.expiresAt.toISOString()]
  return { id, accountId, filename, names, createdAt, expiresAt, passwordHash, maxDownloads, downloads, opened, note }
}
