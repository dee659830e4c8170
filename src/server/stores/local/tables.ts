import { lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMissing, isOccupied } from '../../../protocol/file-errors.js'
import { tableNamePattern } from '../../../protocol/tables.js'
import { KeyedMutex } from '../../concurrency/keyed-mutex.js'
import type { Counters } from '../counters.js'
import type { Space } from '../files.js'
import type { StoredTable, TableStore } from '../tables.js'
import { syncFolder, writeDurably } from './durable-write.js'
import { rememberFolder } from './folder-identity.js'
import { importIds, readImport } from './import-records.js'
import { missingAsEmpty, missingAsUndefined } from './missing.js'
import { findTableLeftovers, stageImport } from './staged-imports.js'

/**
 * Tables as `tables/ROLE/USER/TABLE/ID.parquet` with `ID.json` beside it: an import exists once its JSON file does.
 * Staged ones are in the partials' folder, `ID.csv` and `ID.parquet`.
 */
export async function openTableStore(
  { tables: root, partial }: { tables: string; partial: string },
  counters: Counters,
): Promise<TableStore> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const checkFolder = await rememberFolder(root)
  const locks = new KeyedMutex()
  const keyOf = (space: Space, table: string) => `${space.role}/${space.username}/${table}`
  const folderOf = (space: Space, table: string) => join(root, keyOf(space, table))

  async function readTable(space: Space, table: string): Promise<StoredTable | undefined> {
    const ids = await importIds(folderOf(space, table))
    const found = await Promise.all(ids.map((id) => readImport(root, `${keyOf(space, table)}/${id}`)))
    const imports = found.filter((each) => each !== undefined).sort((a, b) => b.id - a.id)
    if (imports.length === 0) {
      await checkFolder()
      return undefined
    }
    const changedAt = (await lstat(folderOf(space, table)).catch(missingAsUndefined))?.mtimeMs ?? Date.now()
    return { name: table, owner: `${space.role}:${space.username}`, imports, changedAt }
  }

  return {
    folder: root,

    async list(space) {
      const names = await readdir(join(root, space.role, space.username)).catch(missingAsEmpty)
      const tables = await Promise.all(
        names
          .filter(isTableName)
          .sort()
          .map((name) => readTable(space, name)),
      )
      const found = tables.filter((table) => table !== undefined)
      if (found.length === 0) await checkFolder()
      return found
    },

    async find(space, table) {
      return isTableName(table) ? readTable(space, table) : undefined
    },

    async ready(_imports, signal) {
      signal.throwIfAborted()
      return () => {}
    },

    stage: (id) => stageImport(partial, id),

    async publish(staged, space, table, record) {
      const folder = folderOf(space, table)
      return locks.run(keyOf(space, table), async () => {
        const id = await counters.next('import')
        await makeFolder(folder)
        const [parquet, json] = [join(folder, `${id}.parquet`), join(folder, `${id}.json`)]
        const stored = { ...record, id, importedAt: new Date().toISOString() }
        try {
          await rename(join(staged.folder, staged.output), parquet)
          // The folder is synced after this rename: both are then durable.
          await writeDurably(json, `${JSON.stringify(stored, null, 1)}\n`)
        } catch (error) {
          await rm(json, { force: true })
          await rm(parquet, { force: true })
          await removeIfEmpty(folder)
          throw error
        }
        return { ...stored, path: `${keyOf(space, table)}/${id}.parquet` }
      })
    },

    async removeImport(space, table, id) {
      if (!isTableName(table)) return false
      const folder = folderOf(space, table)
      return locks.run(keyOf(space, table), async () => {
        const removed = await removeFile(join(folder, `${id}.json`))
        await rm(join(folder, `${id}.parquet`), { force: true })
        if (removed) await syncFolder(folder)
        await removeIfEmpty(folder)
        return removed
      })
    },

    async remove(space, table, check = () => {}) {
      if (!isTableName(table)) return false
      const folder = folderOf(space, table)
      return locks.run(keyOf(space, table), async () => {
        const there = await readTable(space, table)
        if (there) check(there)
        const ids = await importIds(folder)
        for (const id of ids) await rm(join(folder, `${id}.json`), { force: true })
        if (ids.length > 0) await syncFolder(folder)
        await rm(folder, { recursive: true, force: true })
        return ids.length > 0
      })
    },

    async usage(space) {
      const folder = join(root, space.role, space.username)
      let bytes = 0
      for (const table of await readdir(folder).catch(missingAsEmpty)) {
        for (const id of await importIds(join(folder, table))) {
          bytes += (await lstat(join(folder, table, `${id}.parquet`)).catch(missingAsUndefined))?.size ?? 0
        }
      }
      return bytes
    },

    async removeSpace(space) {
      await rm(join(root, space.role, space.username), { recursive: true, force: true })
    },

    findLeftovers: () => findTableLeftovers({ tables: root, partial }),

    async removeLeftover({ path }) {
      await rm(path, { force: true })
      if (dirname(path) !== partial) await removeIfEmpty(dirname(path))
    },
  }
}

async function makeFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (!firstMade) return
  for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await syncFolder(dirname(made))
}

async function removeFile(path: string): Promise<boolean> {
  return rm(path)
    .then(() => true, missingAsUndefined)
    .then((removed) => removed ?? false)
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error) => {
    if (!isOccupied(error) && !isMissing(error)) throw error
  })
}

function isTableName(name: string): boolean {
  return tableNamePattern.test(name)
}
