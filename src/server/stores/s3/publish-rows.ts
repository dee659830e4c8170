import { belowFile, isFolder } from '../local/file-paths.js'
import { findFreeNumber, numberedName } from '../numbered-name.js'
import type { Database, Transaction } from '../postgres/database.js'
import { jsonText } from '../postgres/json-text.js'
import { checkPrecondition, type Precondition } from '../precondition.js'
import {
  type FileRow,
  fileColumns,
  findFiles,
  findFolders,
  foldersOf,
  namePathOf,
  pathsOf,
  storedFileOf,
} from './file-rows.js'
import { discardPublished, publishContents } from './objects.js'

/** A file to publish, whose content is stored. */
export interface NewRow {
  name: string
  content: string
  size: number
  sha256: string
  type: string
  precondition?: Precondition | undefined
}

export type PublishedRow = { row: FileRow; created: boolean } | { error: Error }

/**
 * Publishes files in the transaction, for whose account the caller holds the lock. The names must differ. A file that is
 * refused concerns no other, and its content stays as it is.
 */
export async function publishRows(
  sql: Transaction,
  account: string,
  files: readonly NewRow[],
): Promise<PublishedRow[]> {
  const names = files.map(({ name }) => name)
  // Sent at once, and carried out in this order.
  const [before, isFile, isTaken] = await Promise.all([
    findRows(sql, account, files),
    findFiles(sql, account, [...new Set(names.flatMap(foldersOf))]),
    findFolders(sql, account, names),
  ])
  const results: (PublishedRow | undefined)[] = files.map(({ name, precondition }) => {
    try {
      const current = before.get(name)
      checkPrecondition(current && storedFileOf(current), precondition)
      if (foldersOf(name).some((folder) => isFile.has(folder))) throw belowFile(name)
      if (isTaken.has(name)) throw isFolder(name)
    } catch (error) {
      return { error: error as Error }
    }
    // Those of the same batch conflict, too.
    isFile.add(name)
    for (const folder of foldersOf(name)) isTaken.add(folder)
    return undefined
  })
  const accepted = files.filter((_, index) => results[index] === undefined)
  const replaced = accepted.flatMap(({ name }) => before.get(name)?.content ?? [])
  const [rows] = await Promise.all([
    upsert(sql, account, accepted),
    discardPublished(sql, replaced),
    publishContents(sql, new Map(accepted.map(({ content, size }) => [content, size]))),
  ])
  return files.map(({ name }, index) => results[index] ?? { row: rows.get(name)!, created: !before.has(name) })
}

/** A `numberedName` that neither a file nor a folder has. The caller holds the lock of the account. */
export async function findFreeName(sql: Transaction, account: string, name: string): Promise<string> {
  const isTaken = async (n: number) => {
    const names = [numberedName(name, n)]
    return (await findFiles(sql, account, names)).size > 0 || (await findFolders(sql, account, names)).size > 0
  }
  return numberedName(name, await findFreeNumber(isTaken))
}

export async function findRows(sql: Database | Transaction, account: string, files: readonly { name: string }[]) {
  const rows = await sql<FileRow[]>`
    select ${fileColumns(sql)} from files
    where account = ${account} and path in ${pathsOf(
      sql,
      files.map(({ name }) => name),
    )}`
  return new Map(rows.map((row) => [row.name, row]))
}

async function upsert(sql: Transaction, account: string, files: readonly NewRow[]): Promise<Map<string, FileRow>> {
  if (files.length === 0) return new Map()
  const values = files.map(({ name, content, size, sha256, type }) => {
    return { path: namePathOf(name).toString('hex'), name, folded: name.toLowerCase(), content, size, sha256, type }
  })
  const rows = await sql<FileRow[]>`
    insert into files (account, path, name, folded, content, size, sha256, type, published_at, is_date_strong)
    select ${account}, decode(path, 'hex'), name, folded, content, size, sha256, type,
      date_trunc('milliseconds', clock_timestamp()), true
    from json_to_recordset(${jsonText(values)}::text::json)
      as file (path text, name text, folded text, content text, size bigint, sha256 text, type text)
    on conflict (account, path) do update set
      content = excluded.content, size = excluded.size, sha256 = excluded.sha256, type = excluded.type,
      published_at = excluded.published_at,
      is_date_strong = date_trunc('second', files.published_at) <> date_trunc('second', excluded.published_at)
    returning ${fileColumns(sql)}`
  return new Map(rows.map((row) => [row.name, row]))
}
