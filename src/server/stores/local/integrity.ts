import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { roles } from '../../../protocol/roles.js'
import type { Space } from '../files.js'
import type { TableStore } from '../tables.js'
import { describeFile, type Version } from './file-description.js'
import { openListing } from './listing.js'
import { missingAsUndefined } from './missing.js'
import { readRecordedVersions } from './recorded-versions.js'

/** The result of reading everything. */
export interface Integrity {
  /** Files and tables whose bytes match. */
  intact: number
  /** Files without a recorded digest, because they were added by hand, and tables of earlier versions. */
  unknown: number
  damaged: { path: string; why: string }[]
  /** Files whose time and bytes both differ from the record: changed by hand, or copied incompletely. */
  changed: string[]
  /** Recorded files that are missing: removed by hand, or not copied. */
  missing: string[]
}

/** Reads every file and every table, and compares them with the recorded digests. Changes nothing. */
export async function checkIntegrity(
  folders: { uploads: string; meta: string },
  tables: TableStore,
): Promise<Integrity> {
  const integrity: Integrity = { intact: 0, unknown: 0, damaged: [], changed: [], missing: [] }
  const listing = openListing(folders)
  try {
    for (const role of roles) {
      for (const username of await namesIn(join(folders.uploads, role), join(folders.meta, role))) {
        await checkFiles({ role, username })
      }
      for (const username of await namesIn(join(tables.folder, role))) await checkTables({ role, username })
    }
  } finally {
    await listing.close()
  }
  return integrity

  async function checkFiles(space: Space): Promise<void> {
    const { versions, unreadable } = await readRecordedVersions(folders.meta, space)
    const pathOf = (name: string) => join(folders.uploads, space.role, space.username, name)
    for (const { name, path } of unreadable) {
      const isLoss = await lstat(pathOf(name)).catch(missingAsUndefined)
      if (isLoss) integrity.damaged.push({ path, why: 'it does not describe a file' })
    }
    for (let after = ''; ; ) {
      const page = await listing.list(space, { prefix: '', search: '', after, limit: namesPerPage })
      for (const { name } of page) {
        await checkFile(pathOf(name), name, versions.get(name) ?? [])
        versions.delete(name)
      }
      if (page.length < namesPerPage) break
      after = page.at(-1)!.name
    }
    for (const name of versions.keys()) {
      if (!(await lstat(pathOf(name)).catch(missingAsUndefined))) integrity.missing.push(pathOf(name))
    }
  }

  async function checkFile(path: string, name: string, known: Version[]): Promise<void> {
    const stats = await lstat(path, { bigint: true }).catch(missingAsUndefined)
    if (!stats) return
    const { version, unverified } = describeFile(name, stats, known)
    const recorded = version ?? unverified
    if (recorded || known.length === 0) return compare(path, recorded?.sha256 ?? null)
    const found = await readDigest(path)
    if (known.some(({ sha256 }) => sha256 === found)) integrity.intact += 1
    else if (found !== undefined) integrity.changed.push(path)
  }

  async function checkTables(space: Space): Promise<void> {
    for (const { imports } of await tables.list(space)) {
      for (const { path, outputSha256 } of imports) await compare(join(tables.folder, path), outputSha256)
    }
  }

  async function compare(path: string, recorded: string | null): Promise<void> {
    const found = await readDigest(path)
    if (found === undefined) return
    if (recorded === null) integrity.unknown += 1
    else if (found === recorded) integrity.intact += 1
    else integrity.damaged.push({ path, why: `its SHA-256 is ${found}, but ${recorded} was recorded` })
  }

  /** Undefined if it cannot be read, which is recorded. */
  async function readDigest(path: string): Promise<string | undefined> {
    try {
      const hash = createHash('sha256')
      await pipeline(createReadStream(path, { highWaterMark: 1024 ** 2 }), hash)
      return hash.digest('hex')
    } catch (error) {
      integrity.damaged.push({ path, why: `it cannot be read (${(error as NodeJS.ErrnoException).code})` })
      return undefined
    }
  }
}

async function namesIn(...folders: string[]): Promise<Set<string>> {
  const names = await Promise.all(folders.map((folder) => readdir(folder).catch(missingAsUndefined)))
  return new Set(names.flatMap((found) => found ?? []))
}

const namesPerPage = 1000
