import { copyFile, readdir, readFile } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ImportBody } from '../../../dist/protocol/tables.js'
import { parseCsvOptions } from '../../../dist/server/tables/csv-body.js'
import { importFile } from '../../../dist/server/tables/import-run.js'
import { RowsEngine } from '../../../dist/server/tables/rows-engine.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

/** What is right for a file of the corpus. */
interface Expected {
  /** What an import without options says: its refusal, or its notes. */
  advised?: { refused?: string; notes?: string[] }
  /** The options that were advised. */
  options?: Omit<ImportBody, 'filename'>
  notes?: string[]
  types: Record<string, string>
  /** Each value as text. */
  rows: (string | null)[][]
}

const corpus = new URL('../../data/csv/', import.meta.url)
const files = await readdir(corpus)
const names = files.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5))

/** A file is recognised by its content: its extension says what it is to people only. */
function fileOf(name: string): URL {
  return new URL(files.find((file) => file.startsWith(`${name}.`) && file !== `${name}.json`)!, corpus)
}

async function importOf(name: string, options: Omit<ImportBody, 'filename'> = {}) {
  const folder = await temporaryFolder()
  await copyFile(fileOf(name), `${folder}/source`)
  const files = {
    source: `${folder}/source`,
    output: `${folder}/output.parquet`,
    copy: `${folder}/copy`,
    text: `${folder}/text`,
  }
  const task = { skipBadLines: false, trim: false, memoryBytes: 2 ** 28, threads: 1, maxBytes: 2 ** 30 }
  const imported = await importFile({ ...files, ...task, csvOptions: parseCsvOptions(options) }, () => {})
  return { imported, folder }
}

describe('each file of the corpus', () => {
  it.each(names)('is imported by default, or with what is advised: %s', async (name) => {
    const { advised, options, notes, types, rows }: Expected = JSON.parse(
      await readFile(new URL(`${name}.json`, corpus), 'utf8'),
    )
    if (advised?.refused) {
      const refused = { code: 'malformed-csv', message: expect.stringContaining(`"${advised.refused}`) }
      await expect(importOf(name)).rejects.toMatchObject(refused)
    } else if (advised?.notes) {
      const { imported } = await importOf(name)
      for (const note of advised.notes) expect(imported.notes).toContainEqual(expect.stringContaining(note))
    }
    const { imported, folder } = await importOf(name, options)
    expect(Object.fromEntries(imported.columns.map((column) => [column.name, column.type]))).toEqual(types)
    for (const note of notes ?? []) expect(imported.notes).toContainEqual(expect.stringContaining(note))
    if (!advised && !notes && !options) expect(imported.notes).toEqual([])
    const engine = new RowsEngine(folder)
    onTestFinished(() => engine.close())
    const columns = imported.columns.map((_, at) => `c${at}::VARCHAR`)
    const statement = `SELECT ${columns} FROM read_parquet('output.parquet')`
    expect(await engine.rows([statement], 'user:ann', new AbortController().signal)).toEqual(rows)
    expect(imported.rows).toBe(rows.length)
  })
})
