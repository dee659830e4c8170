import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { badLineSchema, type ColumnType } from '../../../protocol/tables.js'
import type { StoredImport } from '../tables.js'
import { corruptStateFile } from './json-file.js'
import { missingAsEmpty, missingAsUndefined } from './missing.js'

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
  outputSha256: z.string().nullable().default(null),
})

/** `path` is without its ending. Undefined where a removal was faster. */
export async function readImport(root: string, path: string): Promise<StoredImport | undefined> {
  const file = join(root, `${path}.json`)
  const text = await readFile(file, 'utf8').catch(missingAsUndefined)
  if (text === undefined) return undefined
  try {
    return { ...importSchema.parse(JSON.parse(text)), path: `${path}.parquet` }
  } catch (error) {
    throw corruptStateFile(file, 'it does not describe an import', error)
  }
}

export async function importIds(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(missingAsEmpty)
  return names.flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number)
}
