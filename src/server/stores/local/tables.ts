import { lstat, mkdir, readdir, rename, rm, rmdir, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMissing, isOccupied } from '../../../protocol/file-errors.js'
import { tableNamePattern } from '../../../protocol/table-name.js'
import { KeyedMutex } from '../../concurrency/keyed-mutex.js'
import type { Counters } from '../counters.js'
import type { Space } from '../files.js'
import { tableNameTaken } from '../table-name-taken.js'
import type { StoredTable, TableStore } from '../tables.js'
import { syncFolder } from './durable-write.js'
import { rememberFolder } from './folder-identity.js'
import { HeldFiles } from './held-files.js'
import {
  type DescribedImport,
  type RecordFile,
  readTableRecords,
  removeRecords,
  writeRecord,
} from './import-records.js'
import { missingAsEmpty, missingAsUndefined } from './missing.js'
import { findTableLeftovers, stageImport } from './staged-imports.js'

/**
 * Tables as `tables/ROLE/USER/TABLE/ID.parquet` with descriptions beside it, as in `RecordFile`: an import exists once its description
 * does. Staged ones are in the partials' folder, `ID.csv` and `ID.parquet`.
 */
export async function openTableStore(
  { tables: root, partial }: { tables: string; partial: string },
  counters: Counters,
): Promise<TableStore> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const checkFolder = await rememberFolder(root)
  /** Held by account, also for reads: several files are one state of a table. */
  const locks = new KeyedMutex()
  const spaceOf = ({ role, username }: Space) => `${role}/${username}`
  const keyOf = (space: Space, table: string) => `${spaceOf(space)}/${table}`
  const folderOf = (space: Space, table: string) => join(root, keyOf(space, table))
  const locked = <Result>(space: Space, work: () => Promise<Result>) => locks.run(spaceOf(space), work)
  const held = new HeldFiles(async (path) => {
    await rm(join(root, path), { force: true })
    await removeIfEmpty(dirname(join(root, path)))
  })

  async function readTable(space: Space, table: string): Promise<StoredTable | undefined> {
    const key = keyOf(space, table)
    const { current } = await readTableRecords(join(root, key))
    const imports = current
      .flatMap((file) => file.imports)
      .map((each) => ({ ...each, path: `${key}/${each.id}.parquet` }))
      .sort((a, b) => b.id - a.id)
    if (imports.length === 0) {
      await checkFolder()
      return undefined
    }
    const changedAt = (await lstat(join(root, key)).catch(missingAsUndefined))?.mtimeMs ?? Date.now()
    return { name: table, owner: `${space.role}:${space.username}`, imports, changedAt }
  }

  /** Removes what no description in force names, and what a crash has left of that. */
  async function removeReplaced(key: string): Promise<void> {
    const folder = join(root, key)
    const { current, replaced } = await readTableRecords(folder)
    await removeRecords(folder, replaced)
    const kept = new Set(current.flatMap(({ imports }) => imports.map(({ id }) => `${id}.parquet`)))
    const names = await readdir(folder).catch(missingAsEmpty)
    const gone = names.filter((name) => /^\d+\.parquet$/.test(name) && !kept.has(name))
    for (const name of gone) await held.remove(`${key}/${name}`)
  }

  return {
    folder: root,

    list: (space) =>
      locked(space, async () => {
        const names = await readdir(join(root, spaceOf(space))).catch(missingAsEmpty)
        const tables = await Promise.all(
          names
            .filter(isTableName)
            .sort()
            .map((name) => readTable(space, name)),
        )
        const found = tables.filter((table) => table !== undefined)
        if (found.length === 0) await checkFolder()
        return found
      }),

    async find(space, table) {
      return isTableName(table) ? locked(space, () => readTable(space, table)) : undefined
    },

    async ready(imports, signal) {
      signal.throwIfAborted()
      return held.hold(imports.map(({ path }) => path))
    },

    stage: (id) => stageImport(partial, id),

    publish: (imports, space, table, { replaces = false } = {}) =>
      locked(space, async () => {
        const folder = folderOf(space, table)
        const described: DescribedImport[] = []
        for (const { record } of imports) {
          described.push({ ...record, id: await counters.next('import'), importedAt: new Date().toISOString() })
        }
        await makeFolder(folder)
        // What a crash has left would count again if the description were removed that replaces it.
        await removeReplaced(keyOf(space, table))
        const pathOf = ({ id }: DescribedImport) => join(folder, `${id}.parquet`)
        const file = { number: described[0]!.id, replaces, imports: described }
        try {
          for (const [at, { staged }] of imports.entries()) {
            await rename(join(staged.folder, staged.output), pathOf(described[at]!))
          }
          // The folder is synced after these renames: all are then durable.
          await writeRecord(folder, file)
        } catch (error) {
          await removeRecords(folder, [file.number])
          for (const each of described) await rm(pathOf(each), { force: true })
          await removeIfEmpty(folder)
          throw error
        }
        // They count no more, and the next change or start tries again.
        if (replaces) await removeReplaced(keyOf(space, table)).catch(() => {})
        return described.map((each) => ({ ...each, path: `${keyOf(space, table)}/${each.id}.parquet` }))
      }),

    async edit(space, table, edit) {
      if (!isTableName(table)) return false
      return locked(space, async () => {
        const there = await readTable(space, table)
        if (!there) return false
        const edits = new Map(edit(there).map((each) => [each.id, each]))
        const imports = there.imports.toReversed().map(({ path: _, ...each }) => ({ ...each, ...edits.get(each.id) }))
        const number = await counters.next('import')
        await writeRecord(folderOf(space, table), { number, replaces: true, imports })
        await removeReplaced(keyOf(space, table)).catch(() => {})
        return true
      })
    },

    async rename(space, table, to, check = () => {}) {
      if (!isTableName(table)) return false
      return locked(space, async () => {
        const there = await readTable(space, table)
        if (!there) return false
        check(there)
        const target = folderOf(space, to)
        if (await readTable(space, to)) throw tableNameTaken(to)
        await rm(target, { recursive: true, force: true })
        await rename(folderOf(space, table), target)
        await utimes(target, new Date(), new Date())
        await syncFolder(dirname(target))
        return true
      })
    },

    async removeImport(space, table, id) {
      if (!isTableName(table)) return false
      const folder = folderOf(space, table)
      return locked(space, async () => {
        const { current } = await readTableRecords(folder)
        const file = current.find(({ imports }) => imports.some((each) => each.id === id))
        if (!file) return false
        await removeReplaced(keyOf(space, table))
        await removeFromRecord(folder, file, id)
        await held.remove(`${keyOf(space, table)}/${id}.parquet`)
        await removeIfEmpty(folder)
        return true
      })
    },

    async remove(space, table, check = () => {}) {
      if (!isTableName(table)) return false
      const folder = folderOf(space, table)
      return locked(space, async () => {
        const there = await readTable(space, table)
        if (there) check(there)
        const { current, replaced } = await readTableRecords(folder)
        await removeRecords(folder, replaced)
        await removeRecords(
          folder,
          current.map(({ number }) => number),
        )
        await rm(folder, { recursive: true, force: true })
        return current.length > 0
      })
    },

    usage: (space) =>
      locked(space, async () => {
        const folder = join(root, spaceOf(space))
        let bytes = 0
        for (const table of await readdir(folder).catch(missingAsEmpty)) {
          for (const name of await readdir(join(folder, table)).catch(missingAsEmpty)) {
            if (!/^\d+\.parquet$/.test(name)) continue
            bytes += (await lstat(join(folder, table, name)).catch(missingAsUndefined))?.size ?? 0
          }
        }
        return bytes
      }),

    removeSpace: (space) => locked(space, () => rm(join(root, spaceOf(space)), { recursive: true, force: true })),

    findLeftovers: () => findTableLeftovers({ tables: root, partial }),

    async removeLeftover({ path }) {
      await rm(path, { force: true })
      if (dirname(path) !== partial) await removeIfEmpty(dirname(path))
    },
  }
}

async function removeFromRecord(folder: string, file: RecordFile, id: number): Promise<void> {
  const imports = file.imports.filter((each) => each.id !== id)
  if (imports.length === 0) await removeRecords(folder, [file.number])
  else await writeRecord(folder, { ...file, imports })
}

async function makeFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (!firstMade) return
  for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await syncFolder(dirname(made))
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error) => {
    if (!isOccupied(error) && !isMissing(error)) throw error
  })
}

function isTableName(name: string): boolean {
  return tableNamePattern.test(name)
}
