import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { badLineSchema, type ColumnType } from '../../../protocol/tables.js'
import type { StoredImport } from '../tables.js'
import { syncFolder, writeDurably } from './durable-write.js'
import { corruptStateFile } from './json-file.js'
import { missingAsEmpty, missingAsUndefined } from './missing.js'

/**
 * A file `NUMBER.json` in the folder of a table, which describes imports that were published in one step. If it `replaces`, it is in
 * place of all files with lower numbers, which count no more from then on, and are removed afterwards.
 */
export interface RecordFile {
  readonly number: number
  readonly replaces: boolean
  readonly imports: readonly DescribedImport[]
}

export type DescribedImport = Omit<StoredImport, 'path'>

export interface TableRecords {
  readonly current: RecordFile[]
  /** Numbers of files that were replaced. */
  readonly replaced: number[]
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
  outputSha256: z.string().nullable().default(null),
})
const fileSchema = z
  .object({ replaces: z.boolean(), imports: z.array(importSchema).min(1) })
  // One import that replaces nothing is described without this frame.
  .or(importSchema.transform((each) => ({ replaces: false, imports: [each] })))

/** Reads the descriptions in the folder of a table; none if it is missing. Nothing may change them meanwhile. */
export async function readTableRecords(folder: string): Promise<TableRecords> {
  const names = await readdir(folder).catch(missingAsEmpty)
  const numbers = names.flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number)
  const read = await Promise.all(numbers.map((number) => readRecord(folder, number)))
  const files = read.filter((file) => file !== undefined)
  const first = Math.max(0, ...files.filter(({ replaces }) => replaces).map(({ number }) => number))
  return {
    current: files.filter(({ number }) => number >= first),
    replaced: numbers.filter((number) => number < first),
  }
}

/** Atomically and durably. */
export async function writeRecord(folder: string, { number, replaces, imports }: RecordFile): Promise<void> {
  const described = imports.length === 1 && !replaces ? imports[0] : { replaces, imports }
  await writeDurably(recordPath(folder, number), `${JSON.stringify(described, null, 1)}\n`)
}

/** Durably. Removing missing ones is not an error. */
export async function removeRecords(folder: string, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await rm(recordPath(folder, number), { force: true })
  if (numbers.length > 0) await syncFolder(folder)
}

async function readRecord(folder: string, number: number): Promise<RecordFile | undefined> {
  const file = recordPath(folder, number)
  const text = await readFile(file, 'utf8').catch(missingAsUndefined)
  if (text === undefined) return undefined
  try {
    return { number, ...fileSchema.parse(JSON.parse(text)) }
  } catch (error) {
    throw corruptStateFile(file, 'it does not describe an import', error)
  }
}

function recordPath(folder: string, number: number): string {
  return join(folder, `${number}.json`)
}
