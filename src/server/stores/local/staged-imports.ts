import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../../protocol/problems.js'
import type { StagedImport, TableLeftover } from '../tables.js'
import { readTableRecords } from './import-records.js'

export function stageImport(folder: string, id: string): StagedImport {
  const names = { source: `${id}.csv`, text: `${id}.text.csv`, copy: `${id}.clean.csv`, output: `${id}.parquet` }
  return {
    folder,
    ...names,
    async prepare() {},
    async remove() {
      for (const name of Object.values(names)) await rm(join(folder, name), { force: true })
    },
  }
}

/** Staged files, and what is in the folders of tables and belongs to no import, such as replaced ones. */
export async function findTableLeftovers({
  tables,
  partial,
}: {
  tables: string
  partial: string
}): Promise<TableLeftover[]> {
  const staged = (await readdir(partial)).filter((name) => name.endsWith('.csv') || name.endsWith('.parquet'))
  const unpublished = (await tableFolders(tables)).map(findUnpublished)
  const paths = [...staged.map((name) => join(partial, name)), ...(await Promise.all(unpublished)).flat()]
  return Promise.all(paths.map(async (path) => ({ path, bytes: (await lstat(path)).size })))
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
  const records = await readTableRecords(folder).catch((error: unknown) => {
    // Where a description is damaged, it is not known what belongs to it.
    if (!(error instanceof Problem)) throw error
  })
  if (!records) return []
  const { current, replaced } = records
  const published = new Set(current.flatMap(({ imports }) => imports.map(({ id }) => `${id}.parquet`)))
  const gone = new Set(replaced.map((number) => `${number}.json`))
  const names = await readdir(folder)
  const ours = names.filter((name) => gone.has(name) || /^\d+\.parquet$|^\.\d+\.json\.tmp$/.test(name))
  return ours.filter((name) => !published.has(name)).map((name) => join(folder, name))
}
