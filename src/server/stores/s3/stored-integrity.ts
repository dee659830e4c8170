import type { Database } from '../postgres/database.js'
import type { Bucket } from './bucket.js'
import { type ComparedObject, compareObjects, findObject } from './compare-objects.js'
import { discardPublished, passesOfFailed } from './objects.js'
import { ownedContents } from './owned-contents.js'
import { verifyContents } from './verify-contents.js'

export interface StoredIntegrity {
  files: number
  /** Of tables. */
  imports: number
  /** Of both. */
  bytes: number
  objects: number
  /** Files and imports whose bytes are not in the bucket, or are not those that were stored; of uploads that have not ended, the name is null. */
  damaged: { account: string | null; name: string | null; why: string }[]
  /** Objects that nothing needs, and no server removes by itself. */
  orphans: { key: string; bytes: number; why: string }[]
  /** Files and imports whose bytes match their digests, and those without a digest; null if none were read. */
  intact: number | null
}

export interface StoredIntegrityOptions {
  /** Reads all files and imports, and compares their digests. */
  verify: boolean
  /** Leaves orphans that are older than a week to the servers, to be removed. */
  fix: boolean
  /** Its reason is thrown. */
  signal?: AbortSignal
}

/** Compares the rows of files and objects with the bucket. Servers may run meanwhile. */
export async function checkStored(
  database: Database,
  bucket: Bucket,
  { verify, fix, signal }: StoredIntegrityOptions,
): Promise<StoredIntegrity> {
  const [count] = await database<{ files: number; imports: number; bytes: number }[]>`
    select (select count(*) from files) as files, (select count(*) from imports) as imports,
      (select coalesce(sum(size), 0)::bigint from ${ownedContents(database)}) as bytes`
  const found: StoredIntegrity = { ...count!, objects: 0, damaged: [], orphans: [], intact: null }
  const damaged = new Set<string>()

  function addDamage(owner: Owner, why: string): void {
    if (damaged.has(owner.content)) return
    damaged.add(owner.content)
    found.damaged.push({ account: owner.account, name: owner.name, why })
  }

  for (const { size, stored, ...owner } of await findIncomplete(database)) {
    addDamage(owner, `it has ${size} bytes, but the rows of its objects have ${stored}`)
  }
  const suspects: ComparedObject[] = []
  for await (const compared of compareObjects(database, bucket)) {
    signal?.throwIfAborted()
    if (compared.row) found.objects += 1
    if (isSuspect(compared)) suspects.push(compared)
  }
  for (const { key, object } of suspects) {
    signal?.throwIfAborted()
    const now = await findObject(database, bucket, key)
    const why = faultOf(now)
    if (now.row && why) {
      for (const owner of await findOwners(database, now.row.content)) addDamage(owner, `its object ${key} ${why}`)
    } else if (now.size !== undefined && (!now.row || now.row.isOverdue)) {
      found.orphans.push({ key, bytes: now.size, why: now.row ? 'no server has removed it' : 'no row names it' })
      const storedAt = object?.storedAt ?? now.row!.createdAt
      if (fix && !now.row && isOld(storedAt)) await adoptAsGarbage(database, key, now.size)
    }
  }
  for (const { key, content, size, createdAt } of await findForgotten(database)) {
    found.orphans.push({ key, bytes: size, why: 'its file is gone' })
    if (fix && isOld(createdAt)) await database.begin((sql) => discardPublished(sql, [content]))
  }
  if (verify)
    found.intact = await verifyContents(database, bucket, { isSkipped: (content) => damaged.has(content), addDamage })
  return found
}

interface Owner {
  content: string
  account: string | null
  name: string | null
}

function isSuspect({ row, object }: ComparedObject): boolean {
  return !row || row.isOverdue || faultOf({ row, size: object?.size }) !== undefined
}

/** What is wrong with an object that is needed. */
function faultOf({ row, size }: Pick<Awaited<ReturnType<typeof findObject>>, 'row' | 'size'>): string | undefined {
  if (row?.state !== 'live' && row?.state !== 'stored') return undefined
  if (size === undefined) return 'is missing in the bucket'
  return size < row.size ? `has ${size} instead of ${row.size} bytes in the bucket` : undefined
}

function findIncomplete(sql: Database): Promise<(Owner & { size: number; stored: number })[]> {
  return sql<(Owner & { size: number; stored: number })[]>`
    select account, name, owned.content, owned.size, coalesce(stored, 0)::bigint as stored
    from ${ownedContents(sql)}
      left join (select content, sum(size) as stored from objects where state = 'live' group by content) as objects
      on objects.content = owned.content
    where coalesce(stored, 0) <> owned.size
    order by account, name`.then((rows) => [...rows])
}

/** The files, and the uploads that have not ended, that a content belongs to. */
function findOwners(sql: Database, content: string): Promise<Owner[]> {
  return sql<Owner[]>`
    select content, account, name from ${ownedContents(sql)} where content = ${content}
    union all select content, null, null from partials where content = ${content}
    union all select content, account, null from staged_files join stages on stages.id = stage
      where content = ${content}`.then((rows) => [...rows])
}

/** Objects that count as those of a file or an import, which is gone. */
function findForgotten(sql: Database) {
  return sql<{ key: string; content: string; size: number; createdAt: Date }[]>`
    select key, content, size, created_at from objects
    where state = 'live' and not exists (select from files where files.content = objects.content)
      and not exists (select from imports where imports.content = objects.content)
    order by key`
}

function isOld(storedAt: Date): boolean {
  return storedAt.getTime() < Date.now() - weekMs
}

/** Servers remove it, and the row. */
async function adoptAsGarbage(sql: Database, key: string, size: number): Promise<void> {
  await sql`
    insert into objects (key, content, size, state, not_before, passes)
    values (${key}, ${key}, ${size}, 'garbage', clock_timestamp(), ${passesOfFailed}) on conflict do nothing`
}

const weekMs = 7 * 24 * 3_600_000
