import { lstat, mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { ColumnType } from '../../../protocol/tables.js'
import { badLineSchema, tableNamePattern } from '../../../protocol/tables.js'
import type { Counters } from '../counters.js'
import type { Space } from '../files.js'
import type { StagedImport, StoredImport, StoredTable, TableStore } from '../tables.js'
import { syncFolder, writeDurably } from './durable-write.js'
import { damagedFile } from './json-file.js'
import { NameLocks } from './name-locks.js'

/**
 * Tables as `tables/ROLE/USER/TABLE/ID.parquet` with `ID.json` beside it: an import is there once its JSON file is. Staged
 * ones lie in the partials' folder, `ID.csv` and `ID.parquet`.
 */
export async function openTableStore(
  { tables: root, partial }: { tables: string; partial: string },
  counters: Counters,
): Promise<TableStore> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const locks = new NameLocks()
  const keyOf = (space: Space, table: string) => `${space.role}/${space.username}/${table}`
  const folderOf = (space: Space, table: string) => join(root, keyOf(space, table))

  async function readTable(space: Space, table: string): Promise<StoredTable | undefined> {
    const ids = await importIds(folderOf(space, table))
    const found = await Promise.all(ids.map((id) => readImport(root, `${keyOf(space, table)}/${id}`)))
    const imports = found.filter((each) => each !== undefined).sort((a, b) => b.id - a.id)
    return imports.length > 0 ? { name: table, imports } : undefined
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
      return tables.filter((table) => table !== undefined)
    },

    async find(space, table) {
      return isTableName(table) ? readTable(space, table) : undefined
    },

    stage: (id) => stageIn(partial, id),

    async publish(staged, space, table, record) {
      const folder = folderOf(space, table)
      return locks.hold(keyOf(space, table), async () => {
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
      return locks.hold(keyOf(space, table), async () => {
        const removed = await removeFile(join(folder, `${id}.json`))
        await rm(join(folder, `${id}.parquet`), { force: true })
        if (removed) await syncFolder(folder)
        await removeIfEmpty(folder)
        return removed
      })
    },

    async remove(space, table) {
      if (!isTableName(table)) return false
      const folder = folderOf(space, table)
      return locks.hold(keyOf(space, table), async () => {
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

    async findLeftovers() {
      const staged = (await readdir(partial)).filter((name) => name.endsWith('.csv') || name.endsWith('.parquet'))
      const unpublished = (await tableFolders(root)).map(findUnpublished)
      const paths = [...staged.map((name) => join(partial, name)), ...(await Promise.all(unpublished)).flat()]
      return Promise.all(paths.map(async (path) => ({ path, bytes: (await lstat(path)).size })))
    },

    async removeLeftover({ path }) {
      await rm(path, { force: true })
      if (dirname(path) !== partial) await removeIfEmpty(dirname(path))
    },
  }
}

function stageIn(folder: string, id: string): StagedImport {
  const staged = { folder, source: `${id}.csv`, copy: `${id}.clean.csv`, output: `${id}.parquet` }
  return {
    ...staged,
    async remove() {
      for (const name of [staged.source, staged.copy, staged.output]) await rm(join(folder, name), { force: true })
    },
  }
}

const columnType = z.string().transform((type) => type as ColumnType)
const importSchema = z.object({
  id: z.int(),
  file: z.string(),
  sha256: z.string().nullable(),
  rows: z.int(),
  columns: z.array(
    z.object({ name: z.string(), type: columnType, nulls: z.int(), datePattern: z.string().nullable() }),
  ),
  dateColumn: z.string().nullable(),
  skipped: z.object({ count: z.int(), first: z.array(badLineSchema) }),
  notes: z.array(z.string()).default([]),
  importedAt: z.string(),
  bytes: z.int(),
  sourceBytes: z.int(),
})

/** `path` is without its ending. Undefined where a removal was faster. */
async function readImport(root: string, path: string): Promise<StoredImport | undefined> {
  const file = join(root, `${path}.json`)
  const text = await readFile(file, 'utf8').catch(missingAsUndefined)
  if (text === undefined) return undefined
  try {
    return { ...importSchema.parse(JSON.parse(text)), path: `${path}.parquet` }
  } catch (error) {
    throw damagedFile(file, 'it does not describe an import', error)
  }
}

async function importIds(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(missingAsEmpty)
  return names.flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number)
}

async function makeFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (!firstMade) return
  for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await syncFolder(dirname(made))
}

async function tableFolders(root: string): Promise<string[]> {
  let folders = [root]
  for (const _ of ['role', 'username', 'table']) {
    const below = folders.map(async (folder) => {
      const entries = await readdir(folder, { withFileTypes: true })
      return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name))
    })
    folders = (await Promise.all(below)).flat()
  }
  return folders
}

async function findUnpublished(folder: string): Promise<string[]> {
  const published = new Set((await importIds(folder)).map((id) => `${id}.parquet`))
  const ours = (await readdir(folder)).filter((name) => /^\d+\.parquet$|^\.\d+\.json\.tmp$/.test(name))
  return ours.filter((name) => !published.has(name)).map((name) => join(folder, name))
}

async function removeFile(path: string): Promise<boolean> {
  return rm(path)
    .then(() => true, missingAsUndefined)
    .then((removed) => removed ?? false)
}

async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(error.code ?? '')) throw error
  })
}

function isTableName(name: string): boolean {
  return tableNamePattern.test(name)
}

function missingAsEmpty(error: NodeJS.ErrnoException): [] {
  missingAsUndefined(error)
  return []
}

function missingAsUndefined(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}
