import { truncateSync } from 'node:fs'
import { copyFile, link, mkdtemp, readdir, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { CsvOptions } from '../../../dist/server/tables/csv-plan.js'
import { type ImportOptions, importCsv } from '../../../dist/server/tables/import.js'
import type { ImportedCsv } from '../../../dist/server/tables/import-messages.js'
import { RowsEngine } from '../../../dist/server/tables/rows-engine.js'
import { writeSales } from '../../helpers/csv.js'
import { removeFolder } from '../../helpers/temporary-folder.js'

interface Import {
  folder: string
  result: Promise<ImportedCsv>
}

/** Folders of imports are in it, so that one engine reads the rows of all. */
let root: string
let engine: RowsEngine
/** So many rows that an import tells how far it is before it ends; made once, since it takes a while. */
let manySales: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'filejobs-test-'))
  engine = new RowsEngine(root)
  manySales = join(root, 'sales.csv')
  await writeSales(manySales, 500_000)
})
afterAll(async () => {
  await engine.close()
  await removeFolder(root)
})

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(root, 'import-'))
  onTestFinished(() => removeFolder(folder))
  return folder
}

async function begin(content: string | Uint8Array, options: Partial<ImportOptions> = {}): Promise<Import> {
  const folder = await newFolder()
  await writeFile(`${folder}/1.csv`, content)
  return { folder, result: importCsv(optionsFor(folder, options)) }
}

function optionsFor(folder: string, options: Partial<ImportOptions> = {}): ImportOptions {
  return {
    folder,
    source: '1.csv',
    output: '1.parquet',
    text: '1.text.csv',
    copy: '1.clean.csv',
    maxBytes: 1024 ** 3,
    csvOptions: {},
    skipBadLines: false,
    trim: false,
    memoryBytes: 512 * 1024 ** 2,
    threads: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...options,
  }
}

async function rowsIn(folder: string, columns = '*'): Promise<unknown[][]> {
  const statement = `SELECT ${columns} FROM read_parquet('${basename(folder)}/1.parquet')`
  return engine.rows([statement], 'user:ann', new AbortController().signal)
}

async function imported(
  content: string | Uint8Array,
  csvOptions: CsvOptions = {},
  options: Partial<ImportOptions> = {},
) {
  const { folder, result } = await begin(content, { ...options, csvOptions })
  const { rows, skipped } = await result
  const found = await rowsIn(folder)
  expect(found.length).toBe(rows)
  return { rows: found, skipped, files: (await readdir(folder)).sort() }
}

const types = '"--types" (types) gives the column another type, such as text'
const skip = '"--skip-bad-lines" (skipBadLines) leaves such lines out'
const format = '"--date-format" (dateFormat) names another format of dates'

describe('a CSV import', () => {
  it('stores every value in its type, in the order of the lines', async () => {
    const content = [
      'i,d,b,day,us,time,text,money',
      '1,1.5,true,2014-10-08,10/8/2014,2014-10-08 12:30:00.25,"a, ""b""",12.30',
      '-9223372036854775808,1e300,FALSE,0001-01-01,2/29/2012,2014-10-08T12:30:00Z,"x\ny",-1',
      ',,,,,,,',
      '"9007199254740993"," 2 ",true,"9999-12-31",1/1/1970,1969-12-31 23:59:59,日本 é,0.05',
    ]
    const { rows, files } = await imported(`${content.join('\n')}\n`, { types: { money: 'decimal(9,2)' } })
    expect(rows).toEqual([
      [1, 1.5, true, '2014-10-08', '2014-10-08', '2014-10-08T12:30:00.25', 'a, "b"', '12.30'],
      ['-9223372036854775808', 1e300, false, '0001-01-01', '2012-02-29', '2014-10-08T12:30:00', 'x\ny', '-1.00'],
      [null, null, null, null, null, null, null, null],
      ['9007199254740993', 2, true, '9999-12-31', '1970-01-01', '1969-12-31T23:59:59', '日本 é', '0.05'],
    ])
    expect(files).toEqual(['1.csv', '1.parquet'])
  })

  it.each([
    ['mixed line ends', 'a,b\n1,x\r\n2,y\n3,z\r\n'],
    ['line ends of CR', 'a,b\r1,x\r2,y\r3,z\r'],
    ['a byte order mark and CRLF', '\ufeffa,b\r\n1,x\r\n2,y\r\n3,z'],
    ['empty lines', '\n\na,b\n\n1,x\n2,y\n\n\n3,z\n\n'],
    ['spaces around quotes', 'a,b\n1,  "x" \n "2" ,y\n3,"z"  \n'],
    ['no header', '1,x\n2,y\n3,z\n'],
    ['single quotes', "'a','b'\n'1','x'\n'2','y'\n'3','z'\n"],
  ])('accepts a file with %s', async (_, content) => {
    expect((await imported(content)).rows).toEqual([
      [1, 'x'],
      [2, 'y'],
      [3, 'z'],
    ])
  })

  it.each([false, true])('keeps a byte order mark inside a value (skip invalid lines: %s)', async (skipBadLines) => {
    const files = { '\ufeff\ufeff1,x\n2,y\n': false, 'a,b\n\ufeff1,x\n2,y\n': true }
    for (const [content, header] of Object.entries(files)) {
      const { folder, result } = await begin(content, { skipBadLines, csvOptions: { header } })
      await result
      expect(await rowsIn(folder, 'hex(c0)')).toEqual([['EFBBBF31'], ['32']])
    }
  })

  it('accepts a header over two lines', async () => {
    const { folder, result } = await begin('"a\nb",c\n1,x\n')
    expect((await result).columns.map(({ name }) => name)).toEqual(['a\nb', 'c'])
    expect(await rowsIn(folder)).toEqual([[1, 'x']])
  })

  it('trims texts on request', async () => {
    expect((await imported('a,b\n1, x \n2,"  "\n', {}, { trim: true })).rows).toEqual([
      [1, 'x'],
      [2, null],
    ])
  })

  it('accepts dates of several formats in one file', async () => {
    const { rows } = await imported('a,b,c\n2014-10-08,10/8/2014,x\n2014-01-02,1/2/2014,y\n')
    expect(rows[1]).toEqual(['2014-01-02', '2014-01-02', 'y'])
  })

  it('accepts the maximum number of columns', async () => {
    const names = Array.from({ length: 1000 }, (_, at) => `column ${at}`)
    const { rows } = await imported(`${names.join(',')}\n${names.map((_, at) => at).join(',')}\n`)
    expect(rows[0]!.slice(-2)).toEqual([998, 999])
  })

  it('preserves line breaks, quotes and delimiters inside values, also with several threads', async () => {
    const parts = ['a', '"', ',', '\n', '\r\n', ' x', 'é', '""']
    const values = Array.from({ length: 30_000 }, (_, row) =>
      Array.from({ length: row % 9 }, (_, at) => parts[(row * 7 + at * at) % parts.length]).join(''),
    )
    const lines = values.map((value, row) => `${row},"${value.replaceAll('"', '""')}"\n`)
    const { rows } = await imported(`i,t\n${lines.join('')}`, { header: true }, { threads: 2 })
    expect(rows).toEqual(values.map((value, row) => [row, value === '' ? null : value]))
  })

  it('fails at an invalid value beyond the sample, and leaves nothing', async () => {
    const lines = Array.from({ length: 60_000 }, (_, row) => `${row},x`)
    lines[50_000] = '50000.5,x'
    const { folder, result } = await begin(`a,b\n${lines.join('\n')}\n`)
    await expect(result).rejects.toMatchObject({
      code: 'malformed-csv',
      details: { line: 50_002, column: 'a', reason: '"50000.5" is not an integer' },
    })
    expect(await readdir(folder)).toEqual(['1.csv'])
  })

  it('fails at a number beyond the sample that would be rounded, and suggests a type', async () => {
    const lines = Array.from({ length: 25_000 }, (_, row) => `${row},${row}.5`)
    const { folder, result } = await begin(`a,x\n${lines.join('\n')}\n25000,9007199254740993.5\n`)
    const reason = '"9007199254740993.5" would be rounded to 9007199254740994 as a double'
    await expect(result).rejects.toMatchObject({
      code: 'malformed-csv',
      message: `Line 25002, column "x": ${reason}. ${types}.`,
      details: { line: 25_002, column: 'x', reason },
    })
    expect(await readdir(folder)).toEqual(['1.csv'])
  })

  it('preserves exact doubles as written, and rounds if double was requested', async () => {
    const { rows } = await imported('a,b\n0.30000000000000004,9007199254740993.5\n5e-324,1e-400\n', {
      types: { b: 'double' },
    })
    expect(rows).toEqual([
      [0.30000000000000004, 9007199254740994],
      [5e-324, 0],
    ])
  })

  it('skips invalid lines on request, and reports them', async () => {
    const content = 'a,b\n1,x\nbad,y\n3\n"4","z"w\n5,v\n'
    const { rows, skipped, files } = await imported(content, { types: { a: 'integer' } }, { skipBadLines: true })
    expect(rows).toEqual([
      [1, 'x'],
      [5, 'v'],
    ])
    expect(skipped).toEqual({
      count: 3,
      first: [
        { line: 3, column: 'a', reason: '"bad" is not an integer' },
        { line: 4, column: null, reason: '1 field instead of 2' },
        { line: 5, column: null, reason: 'text stands after a closing quote' },
      ],
    })
    expect(files).toEqual(['1.csv', '1.parquet'])
  })

  it('is rejected if every line is invalid', async () => {
    const { result } = await begin('a,b\n1\n2\n', { skipBadLines: true, csvOptions: { header: true } })
    await expect(result).rejects.toMatchObject({
      code: 'malformed-csv',
      message: expect.stringContaining('Line 2: 1 field instead of 2. 2 of the first 2 rows'),
    })
  })

  it.each([
    ['a value that text would hold', 'a,b\n1,x\n', '1.5,y\n', { types: { a: 'integer' as const } }, types],
    [
      'a date of another format',
      'a,d\n1,10/8/2014\n',
      '2,28/2/2014\n',
      { types: { d: 'date' as const } },
      `${format}; ${types}`,
    ],
    [
      'a letter in Windows-1252',
      'a,b\n1,x\n',
      '2,K\xf6ln\n',
      {},
      'It looks like Windows-1252: "--encoding windows-1252" (encoding) reads it',
    ],
    ['one line of twelve with a field too many', `a,b\n${'1,x\n'.repeat(11)}`, '2,y,z\n', {}, skip],
    ['two bad lines below good ones', 'a,b\n1,x\n2\n', `3,y,z\n${'4,v\n'.repeat(30)}`, {}, skip],
    ['lines above the header', 'Report\n', 'a,b\n1,x\n', {}, '"--skip-lines 1" (skipLines) would read the file'],
    ['lines of all lengths', 'a,b\n1\n', '1,2,3\n4\n', {}, /cannot be read: look for lines above the header/],
  ])('is rejected with advice that keeps every valid row: %s', async (_, good, bad, csvOptions, advice) => {
    const { result } = await begin(Buffer.from(good + bad, 'latin1'), { csvOptions })
    const { message } = await result.then(
      () => expect.fail('imported'),
      (error: Error) => error,
    )
    expect(message.replace(/^Line [^.]*\. /, '')).toMatch(typeof advice === 'string' ? `${advice}.` : advice)
    expect(message.includes('--skip-bad-lines')).toBe(advice === skip)
  })

  it('does not suggest another type for the requested date column', async () => {
    const { result } = await begin('a,d\n1,2014-02-30\n', { csvOptions: { dateColumn: 'd' } })
    const reason = '"2014-02-30" is not a date like %Y-%m-%d'
    await expect(result).rejects.toMatchObject({ message: `Line 2, column "d": ${reason}. ${format}.` })
  })

  it('reads the linked version of the file, even if it is replaced', async () => {
    const folder = await newFolder()
    await writeSales(`${folder}/sales.csv`, 60_000)
    await link(`${folder}/sales.csv`, `${folder}/1.csv`)
    const replace = async () => {
      await writeFile(`${folder}/other.csv`, 'a\n1\n')
      await rename(`${folder}/other.csv`, `${folder}/sales.csv`)
    }
    const result = importCsv(optionsFor(folder))
    const replaced = replace()
    expect((await result).rows).toBe(60_000)
    await replaced
  })

  it('fails if the file itself is changed during the import', async () => {
    const folder = await newFolder()
    await copyFile(manySales, `${folder}/1.csv`)
    let changed = false
    const onProgress = () => {
      if (!changed) truncateSync(`${folder}/1.csv`, 1_000_000)
      changed = true
    }
    await expect(importCsv(optionsFor(folder, { onProgress }))).rejects.toMatchObject({ code: 'malformed-csv' })
    expect(changed).toBe(true)
    expect(await readdir(folder)).toEqual(['1.csv'])
  })

  it('reports its progress at least twice a second', async () => {
    const folder = await newFolder()
    await link(manySales, `${folder}/1.csv`)
    const reports: { at: number; part: number }[] = []
    await importCsv(optionsFor(folder, { onProgress: (part) => reports.push({ at: performance.now(), part }) }))
    const parts = reports.map(({ part }) => part)
    expect(parts).toEqual(parts.toSorted((a, b) => a - b))
    expect(parts.every((part) => part >= 0 && part <= 1)).toBe(true)
    expect(reports.length).toBeGreaterThan(0)
  })

  it('leaves no file and no process when it is stopped', async () => {
    const folder = await newFolder()
    await link(manySales, `${folder}/1.csv`)
    const controller = new AbortController()
    const reason = new Error('stopped by a test')
    // In the step that hears of the progress: the import cannot end before.
    const onProgress = () => controller.abort(reason)
    await expect(importCsv(optionsFor(folder, { signal: controller.signal, onProgress }))).rejects.toBe(reason)
    expect(await readdir(folder)).toEqual(['1.csv'])
  })
})
