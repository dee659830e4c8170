import { open, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type CsvPlan, type CsvWishes, planCsv } from '../../../dist/server/tables/csv-plan.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

async function plan(content: string | Uint8Array, wishes: CsvWishes = {}): Promise<CsvPlan> {
  const path = `${await temporaryFolder()}/file.csv`
  await writeFile(path, content)
  const file = await open(path)
  try {
    return await planCsv(file, wishes)
  } finally {
    await file.close()
  }
}

async function typesOf(content: string, wishes?: CsvWishes): Promise<Record<string, string>> {
  return Object.fromEntries((await plan(content, wishes)).columns.map(({ name, type }) => [name, type]))
}

describe('the shape of a CSV', () => {
  it.each([
    ['a comma', 'a,b\n1,x;y\n', ','],
    ['a semicolon, beside decimal commas', 'a;b\n1,5;2,5\n2,5;3,5\n', ';'],
    ['a tab', 'a\tb\n1\tx, y\n', '\t'],
    ['a bar', 'a|b\n1|x,y\n', '|'],
    ['a comma, before many of another inside quotes', 'a,b\n1,"x;y;z;w"\n2,"x;y;z;w"\n', ','],
  ])('has %s', async (_, content, delimiter) => {
    const { columns, ...found } = await plan(content)
    expect({ delimiter: found.delimiter, columns: columns.length }).toEqual({ delimiter, columns: 2 })
  })

  it('has double quotes, or single ones where fields are enclosed in them', async () => {
    expect((await plan('a,b\n1,it\'s\n2,"x"\n')).quote).toBe('"')
    expect((await plan("'a','b'\n'1','x, y'\n")).quote).toBe("'")
  })

  it('may begin with a byte order mark', async () => {
    const { columns, bom, dataStart } = await plan('\ufeffä,b\n1,2\n')
    expect({ bom, dataStart, name: columns[0]!.name }).toEqual({ bom: 3, dataStart: 3 + 5, name: 'ä' })
  })

  it.each([
    ['a header of text above numbers', 'a,b\n1,2\n', 'plain'],
    ['none where the first line is like the others', '1,x,2014-01-01\n2,y,2014-01-02\n', 'none'],
    ['a header of years', 'Country,2019,2020\nFrance,1,2\nSpain,3,4\n', 'plain'],
    ['a header above text', 'x,y\nz,w\n', 'plain'],
    ['a header over two lines', '"a\nb",c\n1,2\n', 'odd'],
  ])('has %s', async (_, content, header) => {
    expect((await plan(content)).header).toBe(header)
  })

  it('has the header that it is said to have', async () => {
    expect((await plan('1,x\n2,y\n', { header: true })).columns.map(({ name }) => name)).toEqual(['1', 'x'])
    expect((await plan('a,b\nc,d\n', { header: false })).columns.map(({ name }) => name)).toEqual([
      'column1',
      'column2',
    ])
  })

  it('trims the names of columns', async () => {
    expect((await plan(' a , b c \n1,2\n')).columns.map(({ name }) => name)).toEqual(['a', 'b c'])
  })

  it.each([
    ['an empty file', '', /empty/],
    ['white space', ' \n\n', /empty/],
    ['a header without rows', 'a,b\n', /no row\. "--no-header"/],
    ['a column without a name', 'a, \n1,2\n', /Column 2 has no name\. "--no-header" \(header: false\)/],
    ['a name used twice', 'a,A\n1,2\n', /Two columns are called "A"\. "--no-header"/],
    ['10,000 columns', `${Array.from({ length: 10_000 }, (_, at) => `c${at}`).join(',')}\n1\n`, /1000 are the most/],
    ['a first line without end', 'x'.repeat(33_000_000), /longer than 2,000,000 bytes/],
    ['UTF-16', Buffer.from('\ufeffa,b\n1,2\n', 'utf16le'), /UTF-16/],
    ['binary data', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 10, 0xff, 0xfe, 10]), /UTF-8/],
  ])('cannot be %s', async (_, content, message) => {
    await expect(plan(content)).rejects.toMatchObject({
      code: 'malformed-csv',
      message: expect.stringMatching(message),
    })
  })
})

describe('the notes on a CSV', () => {
  const noted = async (content: string, wishes?: CsvWishes) => (await plan(content, wishes)).notes

  it('name the value that keeps a column from being one of dates', async () => {
    const content = 'Date,b\n10/8/2014,x\n2/30/2014,y\n'
    const note = 'Column "Date" was taken for text: line 3 has "2/30/2014", which is no date like %m/%d/%Y.'
    expect(await noted(content)).toEqual([note])
    expect(await noted(content, { types: { Date: 'text' } })).toEqual([])
    expect(await noted(content, { allText: true })).toEqual([])
    expect(await noted(content, { earlierTypes: { Date: 'text' } })).toEqual([])
    const many = Array.from({ length: 2000 }, (_, row) => (row % 120 === 7 ? 'n/a' : '2014-10-08'))
    expect(await noted(`d\n${many.join('\n')}\n`)).toEqual([expect.stringContaining('line 9 has "n/a"')])
  })

  it('say nothing of texts, of numbers, and of dates that all exist', async () => {
    expect(await noted('a,b,c,d\nx,1,2014-10-08,\ny,2,2014-10-09,\n')).toEqual([])
    expect(await noted('a\nx\n2014-10-08\ny\n')).toEqual([])
    expect(await noted('a\nw\nx\ny\nz\n2014-10-08\n2014-10-09\n2014-10-10\n2014-10-11\n2014-10-12\n')).toEqual([])
  })

  it('name the guess where the first line may be a header or a row', async () => {
    const header = /^The first line was taken for the header, but fits as a row too: "--no-header"/
    const row = /^The first line was taken for a row, as it fits the others: "--header"/
    expect(await noted('Germany,2014\nFrance,2015\n')).toEqual([expect.stringMatching(header)])
    expect(await noted('1,x\n2,y\n')).toEqual([expect.stringMatching(row)])
    for (const said of [true, false]) expect(await noted('Germany,2014\nFrance,2015\n', { header: said })).toEqual([])
    expect(await noted('country,year\nFrance,2015\n')).toEqual([])
    expect(await noted('country,2014\nFrance,x\n')).toEqual([])
  })
})

describe('the types of columns', () => {
  it('are recognised', async () => {
    const content = [
      'int,double,bool,iso,us,time,text,phone,empty,big,exact',
      '1,1.5,true,2014-10-08,10/8/2014,2014-10-08 12:30:00,x,0123,,12345678901234567890,0.12345678901234567',
      '-20,2,FALSE,2014-02-28,2/28/2014,2014-10-08T12:30:00.5Z,y,0456,,1,1.5',
    ]
    expect(await typesOf(`${content.join('\n')}\n`)).toEqual({
      int: 'integer',
      double: 'double',
      bool: 'boolean',
      iso: 'date',
      us: 'date',
      time: 'timestamp',
      text: 'text',
      // A leading zero would be lost.
      phone: 'text',
      empty: 'text',
      // More than 64 bits, and more digits than a double gives back.
      big: 'text',
      exact: 'text',
    })
  })

  it('are double where a double gives back each number as it was written', async () => {
    expect(await typesOf('a,b,c,d\n0.30000000000000004,0.1,1e-7,2.50000000000000000\n')).toEqual({
      a: 'double',
      b: 'double',
      c: 'double',
      d: 'double',
    })
    expect(await typesOf('a,b,c\n0.3000000000000000001,1e-400,1e400\n')).toEqual({ a: 'text', b: 'text', c: 'text' })
  })

  it('take 10/8/2014 for the 8th of October, and say how dates stood', async () => {
    const [us, padded] = (await plan('a,b\n10/8/2014,10/08/2014\n1/2/2014,01/02/2014\n')).columns
    expect([us!.dates.pattern, us!.unpadded]).toEqual(['%m/%d/%Y', true])
    expect([padded!.dates.pattern, padded!.unpadded]).toEqual(['%m/%d/%Y', false])
  })

  it('are text where a date is neither ISO nor month first, unless its format is said', async () => {
    const content = 'd\n31.12.2014\n1.2.2015\n'
    expect(await typesOf(content)).toEqual({ d: 'text' })
    expect(await typesOf(content, { dateFormat: '%d.%m.%Y' })).toEqual({ d: 'date' })
    expect(await typesOf('d\n31/12/2014\n', { dateFormat: 'day-first', header: true })).toEqual({ d: 'date' })
  })

  it('are text where two formats are mixed', async () => {
    expect(await typesOf('d\n2014-10-08\n10/8/2014\n')).toEqual({ d: 'text' })
  })

  it('come from earlier imports before the sample, and from wishes before those', async () => {
    const content = 'a,b,c\n1,2,3\n'
    expect(await typesOf(content, { earlierTypes: { a: 'double', b: 'text' } })).toEqual({
      a: 'double',
      b: 'text',
      c: 'integer',
    })
    const wishes: CsvWishes = { types: { a: 'decimal(9,2)' }, earlierTypes: { a: 'double' }, allText: true }
    expect(await typesOf(content, wishes)).toEqual({ a: 'decimal(9,2)', b: 'text', c: 'text' })
  })

  it('make a wished date column one of dates, so that a value that is none is found', async () => {
    const { columns, dateColumn } = await plan('a,d\n1,2014-02-30\n', { dateColumn: 'd' })
    expect([columns[1]!.type, dateColumn]).toEqual(['date', 'd'])
  })

  it('give the first column of dates as date column', async () => {
    expect((await plan('a,d,e\n1,2014-02-03,2015-01-01\n')).dateColumn).toBe('d')
    expect((await plan('a\n1\n')).dateColumn).toBeNull()
  })

  it('cannot be wished for columns that are not there', async () => {
    const missing = (wishes: CsvWishes) => plan('a\n1\n', wishes)
    await expect(missing({ types: { b: 'text' } })).rejects.toMatchObject({ code: 'invalid-request' })
    await expect(missing({ dateColumn: 'b' })).rejects.toMatchObject({ details: { field: 'dateColumn' } })
    expect((await missing({ dateColumn: 'b', dateColumnOptional: true })).dateColumn).toBeNull()
  })
})
