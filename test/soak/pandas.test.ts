import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import type { ImportBody } from '../../dist/protocol/tables.js'
import { parseCsvOptions } from '../../dist/server/tables/csv-body.js'
import { planCsv } from '../../dist/server/tables/csv-plan.js'
import { ImportedFiles } from '../helpers/imported-file.js'

/** A Python that has pandas, such as that of a virtual environment: `FILEJOBS_PANDAS=venv/bin/python npm run soak`. */
const python = process.env.FILEJOBS_PANDAS ?? 'python3'
const hasPandas = spawnSync(python, ['-c', 'import pandas']).status === 0
const script = fileURLToPath(new URL('read-with-pandas.py', import.meta.url))
const folder = fileURLToPath(new URL('../data/csv/', import.meta.url))
/** Those in UTF-8; others have other extensions. */
const names = readdirSync(folder).flatMap((name) => (name.endsWith('.csv') ? name.slice(0, -'.csv'.length) : []))

interface ReadFile {
  rows: (string | null)[][]
  /** By column, where pandas has made numbers of it. */
  numbers: Record<string, (number | null)[]>
}

if (!hasPandas) console.log(`Left out, because ${python} has no pandas: pip install pandas`)

it.skipIf(!hasPandas)('each file of the corpus has the rows that pandas reads, and its numbers', async () => {
  const files = await Promise.all(names.map(fileOf))
  const { stdout, stderr, status } = spawnSync(python, [script], { input: JSON.stringify(files), encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  const theirs: ReadFile[] = JSON.parse(stdout)
  const imports = await ImportedFiles.open()
  onTestFinished(() => imports.close())
  let numbers = 0
  for (const [at, { name, options }] of files.entries()) {
    const content = readFileSync(`${folder}${name}.csv`)
    const { types: _, ...untyped } = options
    const asText = await imports.import(content, parseCsvOptions({ ...untyped, allText: true }))
    // A field without a value is empty to pandas, and fields without a column are not read here.
    const width = asText.columns.length
    const rows = theirs[at]!.rows.map((row) => row.slice(0, width).map((value) => value || null))
    expect(asText.rows, name).toEqual(rows)
    const { rows: typed } = await imports.import(content, parseCsvOptions(options))
    for (const [column, values] of Object.entries(theirs[at]!.numbers)) {
      const ours = typed.map((row) => row[Number(column)])
      expect(ours, `${name}, column ${column}`).toEqual(values)
      numbers++
    }
  }
  expect(numbers).toBeGreaterThan(20)
})

/** How pandas is told to read a file; the delimiter is the recognised one. */
async function fileOf(name: string) {
  const path = `${folder}${name}.csv`
  const known = JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')) as { options?: Omit<ImportBody, 'filename'> }
  const { options = {} } = known
  const source = await open(path)
  const plan = await planCsv(source, parseCsvOptions(options)).finally(() => source.close())
  const { delimiter, quote, quoteEscape, comment, columns } = plan
  const read = {
    sep: delimiter,
    skiprows: plan.dataLine - 1,
    encoding: 'utf-8-sig',
    ...(quote === '' ? { quoting: 3 } : { quotechar: quote }),
    ...(quoteEscape === undefined ? {} : { escapechar: quoteEscape, doublequote: false }),
    ...(comment === undefined ? {} : { comment }),
    ...(options.nulls ? { na_values: options.nulls } : {}),
  }
  const { decimal, thousands } = options
  const numbers = columns.flatMap(({ type }, at) => (/^(?:integer|double)$/.test(type) ? [at] : []))
  return { name, options, path, read, decimal, thousands, numbers }
}
