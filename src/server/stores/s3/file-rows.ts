import type { Space, StoredFile } from '../files.js'
import type { Database, Transaction } from '../postgres/database.js'

/** A row of a published file. */
export interface FileRow {
  name: string
  content: string
  size: number
  sha256: string
  type: string
  publishedAt: Date
  isDateStrong: boolean
}

export function accountOf({ role, username }: Space): string {
  return `${role}:${username}`
}

/** The key of a name, by which names are sorted as by UTF-16 code units. */
export function namePathOf(name: string): Buffer {
  return Buffer.from(name, 'utf16le').swap16()
}

/** The keys of names, as one parameter of a query. */
export function pathsOf(sql: Database | Transaction, names: readonly string[]) {
  return sql`(select decode(hex, 'hex') from unnest(${names.map((name) => namePathOf(name).toString('hex'))}::text[]) as hex)`
}

/** The condition for names with a prefix. */
export function withPrefix(sql: Database | Transaction, prefix: string) {
  if (prefix === '') return sql`true`
  const end = namePathOf(prefix)
  // No name has the last code unit.
  end.writeUInt16BE(end.readUInt16BE(end.length - 2) + 1, end.length - 2)
  return sql`path >= ${namePathOf(prefix)} and path < ${end}`
}

export function fileColumns(sql: Database | Transaction) {
  return sql`name, content, size, sha256, type, published_at, is_date_strong`
}

export function storedFileOf({ name, content, size, sha256, type, publishedAt, isDateStrong }: FileRow): StoredFile {
  return {
    name,
    size,
    sha256,
    type,
    uploadedAt: publishedAt.toISOString(),
    version: content,
    entityTag: `"${sha256}"`,
    lastModified: publishedAt.getTime(),
    isDateStrong,
  }
}

/** Changes to the files of an account happen one after the other, on all servers. Held until the end of the transaction. */
export async function lockFiles(sql: Transaction, account: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || ' files ' || ${account}, 0))`
}

export async function findRow(
  sql: Database | Transaction,
  account: string,
  name: string,
): Promise<FileRow | undefined> {
  const [row] = await sql<FileRow[]>`
    select ${fileColumns(sql)} from files where account = ${account} and path = ${namePathOf(name)}`
  return row
}

/** The folders of a name, without the slash at their ends. */
export function foldersOf(name: string): string[] {
  const segments = name.split('/').slice(0, -1)
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'))
}

/** The names of these that are folders. */
export async function findFolders(
  sql: Database | Transaction,
  account: string,
  names: readonly string[],
): Promise<Set<string>> {
  const rows = await sql<{ name: string }[]>`
    select wanted.name from unnest(${[...names]}::text[], ${names.map((name) => namePathOf(`${name}/`).toString('hex'))}::text[])
        as wanted (name, hex),
      lateral (select decode(hex, 'hex') as first, decode(left(hex, -4) || '0030', 'hex') as past) as below
    where exists (select from files where account = ${account} and path >= first and path < past)
      or exists (select from kept_folders where account = ${account} and path >= first and path < past)`
  return new Set(rows.map(({ name }) => name))
}

/** The names of these that are files. */
export async function findFiles(
  sql: Database | Transaction,
  account: string,
  names: readonly string[],
): Promise<Set<string>> {
  if (names.length === 0) return new Set()
  const rows = await sql<{ name: string }[]>`
    select name from files where account = ${account} and path in ${pathsOf(sql, names)}`
  return new Set(rows.map(({ name }) => name))
}

/** Their names end with a slash; the caller has checked them. */
export async function keepFolders(sql: Transaction, account: string, folders: readonly string[]): Promise<void> {
  await sql`
    insert into kept_folders (account, path, name)
    select ${account}, decode(hex, 'hex'), name
    from unnest(${folders.map((folder) => namePathOf(folder).toString('hex'))}::text[], ${[...folders]}::text[])
      as folder (hex, name)
    on conflict do nothing`
}
