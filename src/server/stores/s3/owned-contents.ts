import type { Database } from '../postgres/database.js'

/** A content, and the file or the import of a table whose bytes it is. */
export interface OwnedContent {
  content: string
  account: string
  /** Of the file, or of the import in words. */
  name: string
  size: number
  /** null if it was not recorded. */
  sha256: string | null
}

/** All published contents, as a table with the columns of `OwnedContent`. */
export function ownedContents(sql: Database) {
  return sql`(
    select content, account, name, size, sha256 from files
    union all
    select content, account, 'import ' || id || ' of the table ' || table_name, size, record->>'outputSha256' from imports
  ) as owned`
}
