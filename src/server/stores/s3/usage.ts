import type { Database } from '../postgres/database.js'
import type { Usage } from '../usage.js'

/** What the rows of files and imports have, with one query. */
export function usageInRows(database: Database): Usage['all'] {
  return async () => {
    const rows = await database<{ account: string; bytes: number }[]>`
      select account, sum(size)::bigint as bytes
      from (select account, size from files union all select account, size from imports) as stored
      group by account`
    return new Map(rows.map(({ account, bytes }) => [account, bytes]))
  }
}
