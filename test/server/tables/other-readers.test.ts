import { readdirSync, readFileSync } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { planCsv } from '../../../dist/server/tables/csv-plan.js'
import { importFile } from '../../../dist/server/tables/import-run.js'
import { RowsEngine } from '../../../dist/server/tables/rows-engine.js'
import { type CsvFile, csvFiles } from '../../helpers/csv-files.js'
import { checkAsync } from '../../helpers/properties.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const corpus = dirname(createRequire(import.meta.url).resolve('csv-spectrum'))
// Of one file, the JSON has another telephone number than the CSV.
const isConsistent = (name: string) => name !== 'location_coordinates'
const names = readdirSync(`${corpus}/csvs`)
  .map((name) => name.slice(0, -'.csv'.length))
  .filter(isConsistent)

/** Imports files as text, and reads what became of them. */
async function openImports() {
  const folder = await temporaryFolder()
  const engine = new RowsEngine(folder)
  onTestFinished(() => engine.close())
  let runs = 0
  return async (content: string | Buffer, header?: boolean) => {
    const name = `${folder}/${++runs}`
    await writeFile(name, content)
    const files = { source: name, output: `${name}.parquet`, copy: `${name}.copy`, text: `${name}.text` }
    const csvOptions = { allText: true, ...(header === undefined ? {} : { header }) }
    const task = { csvOptions, skipBadLines: false, trim: false, memoryBytes: 2 ** 28, threads: 1, maxBytes: 2 ** 30 }
    const { columns, rows: count } = await importFile({ ...files, ...task }, () => {})
    // As bytes: the package that reads text would change some of it.
    const values = columns.map((_, at) => `encode(c${at})`)
    const statement = `SELECT ${values} FROM read_parquet('${runs}.parquet')`
    const found = await engine.rows([statement], 'user:ann', new AbortController().signal)
    expect(found.length).toBe(count)
    const text = (value: unknown) => (value === null ? '' : Buffer.from(String(value), 'base64').toString())
    return { names: columns.map((column) => column.name), rows: found.map((row) => row.map(text)) }
  }
}

describe('csv-spectrum', () => {
  it.each(names)('is imported as it says: %s', async (name) => {
    const imported = await openImports()
    const { names: columns, rows } = await imported(readFileSync(`${corpus}/csvs/${name}.csv`), true)
    const found = rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])))
    expect(found).toEqual(JSON.parse(readFileSync(`${corpus}/json/${name}.json`, 'utf8')))
  })
})

describe('a file that is accepted', () => {
  it('has the rows that csv-parse reads', async () => {
    const imported = await openImports()
    const folder = await temporaryFolder()
    let compared = 0
    const agrees = fc.asyncProperty(csvFiles, async (file) => {
      const known = await recordsOf(file, `${folder}/file`)
      if (!known) return
      const found = await imported(file.text, true).catch(() => undefined)
      if (!found) return
      compared++
      expect([found.names, ...found.rows]).toEqual(known)
    })
    await checkAsync(agrees, 60)
    expect(compared).toBeGreaterThan(5)
  })
})

/** Undefined if csv-parse does not accept the file, or the two could not agree on how it is written. */
async function recordsOf({ text, delimiter, quote }: CsvFile, path: string): Promise<string[][] | undefined> {
  await writeFile(path, text)
  const file = await open(path)
  try {
    const plan = await planCsv(file, { header: true, allText: true })
    // With one column nothing shows the delimiter.
    if (plan.delimiter !== delimiter || plan.quote !== quote) return undefined
    const isNarrow = plan.columns.length === 1
    return parse(text, {
      ...{ delimiter, quote, escape: quote, bom: true, skip_empty_lines: !isNarrow },
      record_delimiter: ['\r\n', '\n', '\r'],
    })
  } catch {
    return undefined
  } finally {
    await file.close()
  }
}
