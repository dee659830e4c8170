import { open, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { checkCsv } from '../../../dist/server/tables/csv-check.js'
import { type CsvOptions, type CsvPlan, planCsv } from '../../../dist/server/tables/csv-plan.js'
import { readRecords } from '../../../dist/server/tables/csv-records.js'
import { CsvScanner } from '../../../dist/server/tables/csv-scanner.js'
import { parseDateFormat } from '../../../dist/server/tables/date-format.js'
import { timeFormats } from '../../../dist/server/tables/time-format.js'
import { ValueFormats } from '../../../dist/server/tables/value-formats.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

async function check(
  content: string | Uint8Array,
  { skip = true, ...csvOptions }: CsvOptions & { skip?: boolean } = {},
) {
  const folder = await temporaryFolder()
  await writeFile(`${folder}/file.csv`, content)
  const file = await open(`${folder}/file.csv`)
  const copy = await open(`${folder}/copy.csv`, 'w')
  try {
    const plan = await planCsv(file, { header: true, ...csvOptions })
    const found = await checkCsv(file, plan, { skipBadLines: skip, copyTo: copy })
    return { ...found, copy: (await readFile(`${folder}/copy.csv`, 'utf8')).replace('\ufeff', '') }
  } finally {
    await file.close()
    await copy.close()
  }
}

/** The one bad line of a file. */
async function faultIn(content: string | Uint8Array, csvOptions: CsvOptions = {}) {
  const { bad } = await check(content, csvOptions)
  expect(bad.count).toBe(1)
  return bad.first[0]
}

describe('the CSV check', () => {
  it('accepts a valid file, and counts rows and empty fields', async () => {
    const found = await check('a,b,c\n1,x,\n2,"",2.5\n')
    expect(found).toMatchObject({ rows: 2, nulls: [0, 1, 1], odd: false, multiline: false, bad: { count: 0 } })
  })

  it.each([
    ['one field too many', 'a,b\n1,x\n2,y,z\n3,z\n', '3 fields instead of 2'],
    ['a delimiter at its end', 'a,b\n1,x\n2,y,\n3,z\n', '3 fields instead of 2'],
    ['one field too few', 'a,b\n1,x\n2\n3,z\n', '1 field instead of 2'],
    ['text after a quote', 'a,b\n1,x\n2,"y"z\n3,z\n', 'text stands after a closing quote'],
    ['a NUL byte', 'a,b\n1,x\n2,y\0z\n3,z\n', 'a NUL byte: this is not text'],
    ['an open quote', 'a,b\n1,x\n2,"y\n', 'a quote is opened and never closed'],
    ['three megabytes', `a,b\n1,x\n2,${'y'.repeat(3e6)}\n3,z\n`, expect.stringMatching(/longer than 2,000,000 bytes/)],
  ])('reports a line with %s', async (_, content, reason) => {
    const text = content.slice(8, content.indexOf('\n', 8))
    const fault = await faultIn(content)
    expect(fault).toMatchObject({ line: 3, column: null, reason, offset: 8 })
    expect(text.startsWith(fault!.text!.replace(/…$/, ''))).toBe(true)
  })

  it('reports bytes that are not UTF-8', async () => {
    const content = Buffer.concat([Buffer.from('a,b\n1,é\n2,'), Buffer.from([0xc3, 0x28]), Buffer.from('\n3,z\n')])
    const fault = { line: 3, column: null, reason: 'bytes that are not UTF-8', offset: 9 }
    expect(await faultIn(content)).toMatchObject(fault)
  })

  it.each([
    ['integer', '1.5'],
    ['integer', '1_000'],
    ['integer', '1e3'],
    ['integer', '9223372036854775808'],
    ['double', 'nan'],
    ['double', '1,5'],
    ['double', '0x1F'],
    ['boolean', 'yes'],
    ['boolean', '1'],
    ['date', '2014-02-30'],
    ['date', '13/8/2014'],
    ['date', '2014-10-08x'],
    ['timestamp', '2014-10-08 25:00:00'],
    ['timestamp', '2014-10-08T12:00:00+02:00'],
    ['decimal(6,2)', '1.555'],
    ['decimal(6,2)', '12345.6'],
  ] as const)('reports a value that is not a valid %s: %s', async (type, value) => {
    const good = { integer: '1', double: '1', boolean: 'true', date: '2014-10-08', timestamp: '2014-10-08 12:00:00' }
    const first = good[type as keyof typeof good] ?? '1.50'
    const fault = await faultIn(`a,b\nx,${first}\ny,"${value}"\n`, { types: { b: type } })
    expect(fault).toMatchObject({ line: 3, column: 'b', reason: expect.stringContaining(JSON.stringify(value)) })
  })

  it.each([
    ['0.12345678901234567890123', '0.12345678901234568'],
    ['12345678901234567890.5', '12345678901234567000'],
    ['9007199254740993.5', '9007199254740994'],
    ['1e-400', '0'],
    ['3e-324', '5e-324'],
    [`0.${'0'.repeat(400)}1`, '0'],
    ['-0.10000000000000001', '-0.1'],
  ])('reports a number that a double would round: %s', async (value, rounded) => {
    const content = `a,b\nx,1.5\ny,${value}\n`
    expect(await faultIn(content, { earlierTypes: { b: 'double' } })).toMatchObject({
      line: 3,
      column: 'b',
      reason: `"${value.slice(0, 60)}" would be rounded to ${rounded} as a double`,
    })
    expect((await check(content, { types: { b: 'double' } })).bad.count).toBe(0)
  })

  it('accepts numbers that a double formats as they were written', async () => {
    const values = [
      '0.30000000000000004',
      '-1.7976931348623157e308',
      '5e-324',
      '1.50000000000000000000',
      '-0.0',
      '0e-400',
    ]
    values.push(`1${'0'.repeat(22)}`, `"0.${'0'.repeat(30)}1"`, '9007199254740992', '-123456789012.125')
    const { rows, bad } = await check(`a\n${values.join('\n')}\n`, { earlierTypes: { a: 'double' } })
    expect({ rows, bad: bad.first }).toEqual({ rows: values.length, bad: [] })
  })

  it('takes as long for millions of zeros as for other digits', async () => {
    const content = `a,b\n0.${'0'.repeat(1e6)}1,0.${'0'.repeat(1e5)}1\n`
    const { bad } = await check(content, { types: { b: 'decimal(9,2)' }, earlierTypes: { a: 'double' } })
    expect(bad.first).toMatchObject([{ column: 'a' }])
  })

  it('counts the lines of the file, also inside quotes', async () => {
    const content = 'a,b\n1,"x\r\ny\rz"\n\n"2",w\nfoo,w\n'
    expect(await faultIn(content, { types: { a: 'integer' } })).toMatchObject({ line: 7, column: 'a' })
  })

  it('reports missing fields before values of the wrong type', async () => {
    expect(await faultIn('a,b,c\n1,2,x\nx,3\n', { types: { a: 'integer' } })).toMatchObject({
      column: null,
      reason: '2 fields instead of 3',
    })
  })

  it('accepts leading zeros only in columns whose type is given', async () => {
    expect((await check('a\n1\n007\n', { types: { a: 'integer' } })).bad.count).toBe(0)
    expect((await check('a\n1\n007\n', { earlierTypes: { a: 'integer' } })).bad.count).toBe(1)
  })

  it('ends at the first invalid line unless it skips them', async () => {
    const found = await check('a,b\n1\n2\n3,x\n', { skip: false })
    expect(found).toMatchObject({ rows: 0, bad: { count: 1, first: [{ line: 2 }] } })
  })

  it('copies valid lines only, and reports the first ten of the others', async () => {
    const lines = Array.from({ length: 25 }, (_, row) => (row % 2 ? 'bad' : `${row}, "x, y" `))
    const { copy, bad } = await check(`a,b\n${lines.join('\r\n')}`)
    expect(copy).toBe(Array.from({ length: 13 }, (_, at) => `${at * 2},"x, y"\n`).join(''))
    expect([bad.count, bad.first.length, bad.first[9]!.line]).toEqual([12, 10, 21])
  })

  it('continues after the line of an unclosed quote', async () => {
    const { rows, bad } = await check('a,b\n1,"x\n2,y\n3,z\n')
    expect({ rows, bad: bad.count }).toEqual({ rows: 2, bad: 1 })
  })
})

describe('the CSV scanner', () => {
  const dates = parseDateFormat('iso')
  const plan: CsvPlan = {
    bom: 0,
    delimiter: ',',
    quote: '"',
    columns: ['a', 'b'].map((name) => ({
      name,
      type: 'text' as const,
      dates,
      times: timeFormats(dates)[0],
      unpadded: false,
      asked: false,
      guessed: true,
      isRewritten: false,
      isDropped: false,
    })),
    values: new ValueFormats({}),
    isRewritten: false,
    dataStart: 0,
    dataLine: 1,
    header: 'none',
    multiline: false,
    rowBytes: 1,
    dateColumn: null,
    hasHeader: false,
    firstRows: [],
    notes: [],
    ragged: { lines: 0, of: 0 },
  }

  /** Scans a text in chunks: returns its good records, and the lines of the bad ones. */
  function scan(bytes: Buffer, sizes: number[]) {
    const good: string[] = []
    const bad: number[] = []
    const scanner = new CsvScanner(plan, {
      good: (buffer, from, to) => good.push(buffer.toString('utf8', from, to)),
      bad: ({ line }) => bad.push(line) > 0,
    })
    const buffer = Buffer.alloc(bytes.length + 1)
    let have = 0
    let taken = 0
    for (const size of [...sizes, bytes.length]) {
      const end = Math.min(bytes.length, taken + have + size)
      bytes.copy(buffer, have, taken + have, end)
      have = end - taken
      const used = scanner.scan(buffer, have, false)
      buffer.copyWithin(0, used, have)
      taken += used
      have -= used
    }
    scanner.scan(buffer, have, true)
    return { good, bad }
  }

  it('parses records as the text reader does, for any chunks', () => {
    const random = seeded(7)
    const tokens = ['a', 'é', '日', ',', '"', '""', '\n', '\r\n', '\r', ' ', '"x"', '"y\n"', ',"z,"', '\n1,2\n']
    for (let round = 0; round < 3000; round++) {
      const text = Array.from({ length: random(12) }, () => tokens[random(tokens.length)]).join('')
      const records = [...readRecords(text, plan, { complete: true, columns: 2 })]
      // After an open quote each continues in its own way.
      if (records.some(({ fault }) => fault?.includes('never closed'))) continue
      const isGood = ({ fault, fields }: (typeof records)[number]) => fault === null && fields.length === 2
      const bytes = Buffer.from(text)
      const sizes = Array.from({ length: random(6) }, () => random(4))
      const { good, bad } = scan(bytes, sizes)
      const reread = good.map(
        (record) => readRecords(record, plan, { complete: true, columns: 2 }).next().value?.fields,
      )
      expect({ text, good: reread, bad }).toEqual({
        text,
        good: records.filter(isGood).map(({ fields }) => fields),
        bad: records.filter((record) => !isGood(record)).map(({ line }) => line),
      })
    }
  })
})

function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return (state >> 8) % below
  }
}
