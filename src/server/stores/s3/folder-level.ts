import type { Level, LevelQuery, StoredFolder } from '../folders.js'
import { formatCursor, parseCursor } from '../level-cursor.js'
import { levelPageOf } from '../local/folder-level.js'
import { type LevelEntries, sortLevel } from '../local/level-order.js'
import type { Database } from '../postgres/database.js'
import { type FileRow, fileColumns, pathsOf, storedFileOf, withPrefix } from './file-rows.js'

/** A file, or a folder with everything below it. */
interface EntryRow {
  entry: string
  isFolder: boolean
  files: number
  bytes: number
  at: Date
}

/** Reads a page of one level of an account's folders. */
export async function readStoredLevel(database: Database, account: string, query: LevelQuery): Promise<Level> {
  const { prefix, search, sort, cursor } = query
  const after = cursor === undefined ? null : parseCursor(cursor, sort)
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  const rest = prefix.slice(folder.length)
  const wanted = search.toLowerCase()
  const selected = (await entriesOf(database, account, folder))
    .map((row) => ({ ...row, name: row.isFolder ? `${row.entry}/` : row.entry }))
    .filter(({ name, entry }) => name.startsWith(rest) && entry.toLowerCase().includes(wanted))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const rankOf = ({ bytes, at }: EntryRow) => (sort === 'size' ? bytes : at.getTime())
  const entries: LevelEntries = {
    names: selected.map(({ name }) => name),
    ranks: sort === 'name' ? null : Float64Array.from(selected, rankOf),
  }
  const sorted = sortLevel(entries, [...selected.keys()], query)
  const page = levelPageOf(sorted, entries, { ...query, after })
  const files = await describe(
    database,
    account,
    page.files.map((at) => folder + entries.names[at]!),
  )
  const last = page.last === undefined ? undefined : selected[page.last]!
  return {
    folders: page.folders.map((at) => folderOf(folder, selected[at]!)),
    files,
    totals: {
      files: sorted.files.length,
      folders: sorted.folders.length,
      bytes: selected.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    next: last
      ? formatCursor({
          isFolder: last.isFolder,
          name: last.name,
          rank: last.isFolder || sort === 'name' ? null : rankOf(last),
        })
      : null,
  }
}

function entriesOf(sql: Database, account: string, folder: string): Promise<EntryRow[]> {
  const start = [...folder].length + 1
  const within = sql`account = ${account} and ${withPrefix(sql, folder)}`
  return sql<EntryRow[]>`
    select split_part(rest, '/', 1) as entry, position('/' in rest) > 0 as is_folder,
      count(*) filter (where is_file)::bigint as files, sum(size)::bigint as bytes, max(at) as at
    from (
      select substring(name from ${start}::int) as rest, size, published_at as at, true as is_file from files where ${within}
      union all
      select substring(name from ${start}::int), 0, created_at, false from kept_folders where ${within} and name <> ${folder}
    ) as below
    group by 1, 2`.then((rows) => [...rows])
}

function folderOf(folder: string, { entry, files, bytes, at }: EntryRow): StoredFolder {
  return { name: `${folder}${entry}/`, files, bytes, modifiedAt: at.toISOString() }
}

/** In this order; without those that are gone meanwhile. */
async function describe(sql: Database, account: string, names: string[]) {
  const rows = await sql<FileRow[]>`
    select ${fileColumns(sql)} from files where account = ${account} and path in ${pathsOf(sql, names)}`
  const found = new Map(rows.map((row) => [row.name, storedFileOf(row)]))
  return names.flatMap((name) => found.get(name) ?? [])
}
