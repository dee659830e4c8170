import { isUtf8 } from 'node:buffer'
import { open, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type CsvPlan, planCsv } from '../../../dist/server/tables/csv-plan.js'
import { readRecords } from '../../../dist/server/tables/csv-records.js'
import { type CsvDialect, openQuote } from '../../../dist/server/tables/csv-rules.js'
import { CsvScanner } from '../../../dist/server/tables/csv-scanner.js'
import { parseDateFormat } from '../../../dist/server/tables/date-format.js'
import { importFile } from '../../../dist/server/tables/import-run.js'
import { RowsEngine } from '../../../dist/server/tables/rows-engine.js'
import { timeFormats } from '../../../dist/server/tables/time-format.js'
import { ValueFormats } from '../../../dist/server/tables/value-formats.js'
import { type CsvFile, csvFiles, readByRules } from '../../helpers/csv-files.js'
import { check, checkAsync } from '../../helpers/properties.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

async function planOf(path: string, { text, types }: CsvFile): Promise<CsvPlan | undefined> {
  await writeFile(path, text)
  const file = await open(path)
  try {
    return await planCsv(file, { header: true, types })
  } catch {
    // A header without a row.
    return undefined
  } finally {
    await file.close()
  }
}

/** A plan for a file whose shape is known, without reading it. */
function planFor({ text, types, ...dialect }: CsvFile & CsvDialect, asked: boolean, dateFormat: string): CsvPlan {
  const bom = text.startsWith('\ufeff') ? 3 : 0
  const dates = parseDateFormat(dateFormat)
  const times = timeFormats(parseDateFormat('iso'))[0]
  const columns = Object.entries(types).map(([name, type]) => ({ name, type, dates, times, asked }))
  const dataStart = bom + Buffer.byteLength(text.slice(bom && 1, text.indexOf('\n') + 1))
  const shape = { bom, ...dialect, dataStart, dataLine: 2, header: 'plain' as const, rowBytes: 1 }
  return {
    ...shape,
    columns: columns.map((column) => {
      return { ...column, unpadded: false, guessed: !asked, isRewritten: false, isDropped: false }
    }),
    values: new ValueFormats({}),
    isRewritten: false,
    multiline: false,
    dateColumn: null,
    hasHeader: true,
    firstRows: [],
    notes: [],
    ragged: { lines: 0, of: 0 },
  }
}

/** The result of the scanner for bytes in chunks of these sizes; the last size is repeated. */
function scan(bytes: Buffer, plan: CsvPlan, sizes: number[]) {
  const good: string[] = []
  const bad: number[] = []
  const scanner = new CsvScanner(plan, {
    good: (buffer, from, to) => good.push(buffer.toString('utf8', from, to)),
    bad: ({ line }) => bad.push(line) > 0,
  })
  // Behind the end there are the bytes of an earlier chunk, as in the buffer of an import.
  const buffer = Buffer.alloc(bytes.length + 30, '7')
  let have = 0
  let at = 0
  for (let chunk = 0; at + have < bytes.length; chunk++) {
    const end = Math.min(bytes.length, at + have + (sizes[chunk] ?? sizes.at(-1)!))
    bytes.copy(buffer, have, at + have, end)
    have = end - at
    const used = scanner.scan(buffer, have, false)
    buffer.copyWithin(0, used, have)
    at += used
    have -= used
  }
  scanner.scan(buffer, have, true)
  return { good, bad, rows: scanner.rows, nulls: [...scanner.nulls] }
}

describe('a CSV with any columns, line breaks, quotes and last line', () => {
  it('is scanned by the rules of the reader, for any chunks', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
    const formats = fc.constantFrom('iso', 'month-first', '%Y%m%d')
    const agrees = fc.property(csvFiles, fc.boolean(), formats, sizes, (file, asked, format, chunks) => {
      const plan = planFor(file, asked, format)
      const bytes = Buffer.from(file.text).subarray(plan.dataStart)
      const expected = readByRules(bytes.toString(), plan)
      if (!expected) return
      const found = scan(bytes, plan, chunks)
      expect({ ...found, good: found.good.flatMap((text) => readByRules(text || '\n', plan)!.good) }).toEqual({
        ...expected,
        rows: expected.good.length,
        nulls: plan.columns.map((_, at) => expected.good.filter((fields) => fields[at] === '').length),
      })
    })
    check(agrees, 3000)
  })

  it('is imported with exactly its values, or rejected at its first invalid line', async () => {
    const folder = await temporaryFolder()
    const rows = new RowsEngine(folder)
    onTestFinished(() => rows.close())
    let runs = 0
    const agrees = fc.asyncProperty(csvFiles, fc.boolean(), async (file, skipBadLines) => {
      const name = `${folder}/${++runs}`
      const plan = await planOf(`${name}.csv`, file)
      const expected = plan && readByRules(Buffer.from(file.text).subarray(plan.dataStart).toString(), plan)
      if (!plan || !expected) return
      const { good, bad } = expected
      const task = {
        source: `${name}.csv`,
        output: `${name}.parquet`,
        text: `${name}.text`,
        copy: `${name}.copy`,
        skipBadLines,
      }
      const options = {
        csvOptions: { header: true, types: file.types },
        trim: false,
        memoryBytes: 2 ** 28,
        threads: 1,
        maxBytes: 2 ** 30,
      }
      const imported = importFile({ ...task, ...options }, () => {})
      if (bad.length > 0 && (!skipBadLines || good.length === 0)) {
        await expect(imported).rejects.toMatchObject({ code: 'malformed-csv', details: { line: bad[0] } })
        return
      }
      expect(await imported).toMatchObject({ rows: good.length, skipped: { count: bad.length } })
      const columns = plan.columns.map(({ type }, at) => (type === 'text' ? `encode(c${at})` : `c${at}`))
      const statement = `SELECT ${columns} FROM read_parquet('${runs}.parquet')`
      const found = await rows.rows([statement], 'user:ann', new AbortController().signal)
      const values = good.map((fields) => fields.map((field, at) => valueIn(field, plan.columns[at]!.type)))
      expect(found.map((row) => row.map((value, at) => plainValue(value, plan.columns[at]!.type)))).toEqual(values)
    })
    // Read directly it has three rows, and two from its copy.
    const mixedEnds = { text: 'c0\n\r\n0\n', delimiter: ',', quote: '"', types: { c0: 'integer' } } as const
    await checkAsync(agrees, 60, [[mixedEnds, false]])
  })
})

describe('any bytes', () => {
  it('are split into the same records, fields and errors by the scanner and the reader', () => {
    const byte = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...Buffer.from(`,;"'\n\r ax\\`)) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
    )
    const files = fc.record({
      bytes: fc.array(byte, { maxLength: 60 }),
      columns: fc.integer({ min: 1, max: 3 }),
      delimiter: fc.constantFrom(',', ';'),
      quote: fc.constantFrom('"', "'", ''),
      quoteEscape: fc.constantFrom(undefined, undefined, '\\'),
      comment: fc.constantFrom(undefined, undefined, 'a'),
      sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
    })
    const agrees = fc.property(files, ({ bytes, columns, sizes, ...dialect }) => {
      const types = Object.fromEntries(Array.from({ length: columns }, (_, at) => [`c${at}`, 'text' as const]))
      const plan = { ...planFor({ text: '', types, ...dialect }, false, 'iso'), dataLine: 1 }
      // One character a byte, so that the reader's offsets are those of bytes.
      const text = Buffer.from(bytes).toString('latin1')
      const options = { complete: true, columns }
      const good: string[][] = []
      const bad: number[] = []
      let openQuoteAt = Number.POSITIVE_INFINITY
      for (const { fields, fault, line, start: from, end } of readRecords(text, dialect, options)) {
        const isText = isUtf8(Buffer.from(text.slice(from, end), 'latin1')) && !text.slice(from, end).includes('\0')
        if (fault === null && fields.length === columns && isText) good.push(fields)
        else bad.push(line)
        if (fault === openQuote) openQuoteAt = line
      }
      const found = scan(Buffer.from(bytes), plan, sizes)
      const fields = found.good.map((record) => {
        const latin1 = Buffer.from(record).toString('latin1')
        return [...readRecords(latin1 || '\n', dialect, options)][0]!.fields
      })
      // After an open quote, the scanner skips one line and the reader the rest of the file.
      if (openQuoteAt === Number.POSITIVE_INFINITY) expect({ good: fields, bad: found.bad }).toEqual({ good, bad })
      else {
        expect(fields.slice(0, good.length)).toEqual(good)
        expect(found.bad.slice(0, bad.length)).toEqual(bad)
      }
    })
    check(agrees, 5000)
  })
})

/** The value of a field, in a form in which equal values are equal. */
function valueIn(field: string, type: string): unknown {
  if (field === '') return null
  const text = field.trim()
  switch (type) {
    case 'text':
      return field
    case 'integer':
      return BigInt(text)
    case 'double':
    case 'decimal(6,2)':
      return Number(text)
    case 'boolean':
      return text.toLowerCase() === 'true'
    case 'date':
      return Date.parse(text.includes('/') ? text : text.replace(/-(\d)(?!\d)/g, '-0$1'))
    default:
      return Date.parse(`${text.replace(' ', 'T').replace('Z', '')}Z`)
  }
}

function plainValue(value: unknown, type: string): unknown {
  if (value === null || type === 'boolean') return value
  if (type === 'text') return Buffer.from(String(value), 'base64').toString()
  if (type === 'integer') return BigInt(value as number)
  if (type === 'date') return Date.parse(String(value))
  return type === 'timestamp' ? Date.parse(`${value}Z`) : Number(value)
}
