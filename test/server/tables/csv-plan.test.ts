import { open, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type CsvOptions, type CsvPlan, planCsv } from '../../../dist/server/tables/csv-plan.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

async function plan(content: string | Uint8Array, csvOptions: CsvOptions = {}): Promise<CsvPlan> {
  const path = `${await temporaryFolder()}/file.csv`
  await writeFile(path, content)
  const file = await open(path)
  try {
    return await planCsv(file, csvOptions)
  } finally {
    await file.close()
  }
}

async function typesOf(content: string, csvOptions?: CsvOptions): Promise<Record<string, string>> {
  return Object.fromEntries((await plan(content, csvOptions)).columns.map(({ name, type }) => [name, type]))
}

describe('the detected format of a CSV', () => {
  it.each([
    ['a comma', 'a,b\n1,x;y\n', ','],
    ['what a first line names for spreadsheets', '\ufeff"sep=^"\r\na^b\r\n1^2\r\n', '^'],
    ['a semicolon, beside decimal commas', 'a;b\n1,5;2,5\n2,5;3,5\n', ';'],
    ['a tab', 'a\tb\n1\tx, y\n', '\t'],
    ['a bar', 'a|b\n1|x,y\n', '|'],
    ['a comma, before many of another inside quotes', 'a,b\n1,"x;y;z;w"\n2,"x;y;z;w"\n', ','],
  ])('has %s', async (_, content, delimiter) => {
    const { columns, ...found } = await plan(content)
    expect({ delimiter: found.delimiter, columns: columns.length }).toEqual({ delimiter, columns: 2 })
  })

  it('has double quotes, or single ones if fields are enclosed in them', async () => {
    expect((await plan('a,b\n1,it\'s\n2,"x"\n')).quote).toBe('"')
    expect((await plan("'a','b'\n'1','x, y'\n")).quote).toBe("'")
  })

  it('can include a byte order mark', async () => {
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

  it('has the header that the options state', async () => {
    expect((await plan('1,x\n2,y\n', { header: true })).columns.map(({ name }) => name)).toEqual(['1', 'x'])
    expect((await plan('a,b\nc,d\n', { header: false })).columns.map(({ name }) => name)).toEqual([
      'column1',
      'column2',
    ])
  })

  it('has trimmed column names', async () => {
    expect((await plan(' a , b c \n1,2\n')).columns.map(({ name }) => name)).toEqual(['a', 'b c'])
  })

  it.each([
    ['an empty file', '', /empty/],
    ['white space', ' \n\n', /empty/],
    ['a column without a name', 'a, \n1,2\n', /Column 2 has no name\. "--rename-columns"[^"]*names\.$/],
    ['a name used twice', 'a,A\n1,2\n', /Two columns are called "A"\. "--rename-columns"[^"]*names\.$/],
    ['a row whose value is missing, taken for names', '5.5,\nx,y\n', /Column 2 has no name\..*"--no-header"/],
    [
      'a row whose values are the same, taken for names',
      '28.2.2008,28.2.2008\nx,y\n',
      /"28\.2\.2008"\..*"--no-header"/,
    ],
    ['10,000 columns', `${Array.from({ length: 10_000 }, (_, at) => `c${at}`).join(',')}\n1\n`, /1000 are the most/],
    ['a first line without end', 'x'.repeat(33_000_000), /longer than 2,000,000 bytes/],
    [
      'a header in Windows-1252',
      Buffer.from('Name,Stra\xdfe\na,b\n', 'latin1'),
      /no UTF-8 text\. Save the file as UTF-8/,
    ],
    ['binary data', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 10, 0xff, 0xfe, 10]), /UTF-8/],
  ])('cannot be %s', async (_, content, message) => {
    await expect(plan(content)).rejects.toMatchObject({
      code: 'malformed-csv',
      message: expect.stringMatching(message),
    })
  })
})

describe('the notes on a CSV', () => {
  const noted = async (content: string, csvOptions?: CsvOptions) => {
    const { notes } = await plan(content, csvOptions)
    return notes.map(({ text }) => text)
  }

  it('report the value that prevents a date column', async () => {
    const content = 'Date,b\n10/8/2014,x\n2/30/2014,y\n'
    const note = 'Column "Date" was taken for text: line 3 has "2/30/2014", which is no date like %m/%d/%Y.'
    expect(await noted(content)).toEqual([note])
    expect(await noted(content, { types: { Date: 'text' } })).toEqual([])
    expect(await noted(content, { allText: true })).toEqual([])
    expect(await noted(content, { earlierTypes: { Date: 'text' } })).toEqual([])
    const many = Array.from({ length: 2000 }, (_, row) => (row % 120 === 7 ? 'n/a' : '2014-10-08'))
    expect(await noted(`d\n${many.join('\n')}\n`)).toEqual([expect.stringContaining('line 9 has "n/a"')])
  })

  it('do not report the dates of a column whose format was requested', async () => {
    const content = 'a,b\n3/4/2020,3/4/2020\n'
    const notes = await noted(content, { dateFormats: { a: 'month-first' } })
    expect(notes).toEqual([expect.stringMatching(/^Column "b": dates were read like %m/)])
  })

  it.each([
    ['of slashes', 'd,n\n03/04/2020,1\n05/06/2020,2\n', {}, '%m/%d/%Y', 'day-first'],
    [
      'in a column that is asked to be one of dates',
      'd\n3/4/2020\n',
      { types: { d: 'date' as const } },
      '%m/%d/%Y',
      'day-first',
    ],
    [
      'in a table with an earlier import',
      'd\n3/4/2020\n',
      { earlierTypes: { d: 'date' as const } },
      '%m/%d/%Y',
      'day-first',
    ],
  ])('report dates that are valid in both orders: %s', async (_, content, csvOptions, read, option) => {
    const fits = 'Column "d": dates were read like'
    expect(await noted(content, { header: true, ...csvOptions })).toEqual([
      `${fits} ${read}, but all fit %d/%m/%Y as well: "--date-format ${option}" (dateFormat) reads them so.`,
    ])
    expect(await noted(content, { header: true, ...csvOptions, dateFormat: 'month-first' })).toEqual([])
    expect(await noted(content, { header: true, ...csvOptions, dateFormat: 'day-first' })).toEqual([])
    expect(
      await noted(`${content}10/13/2020,3\n`.replace(/,3\n$/, content.includes(',') ? ',3\n' : '\n'), {
        header: true,
        ...csvOptions,
      }),
    ).toEqual([])
  })

  it('count the columns beyond the first eight', async () => {
    const names = Array.from({ length: 20 }, (_, at) => `d${at}`)
    const notes = await noted(`${names}\n${names.map(() => '1/2/2020')}\n`)
    expect(notes.length).toBe(9)
    expect(notes.at(-1)).toBe('The same is true of 12 more columns.')
  })

  it.each([
    ['31/12/2014', 'day-first'],
    ['31-12-2014', '%d-%m-%Y'],
    ['12-31-2014', '%m-%d-%Y'],
    ['2014.12.31', '%Y.%m.%d'],
  ])('report text that looks like a date: %s', async (value, option) => {
    expect(await noted(`d,n\n${value},1\n${value},2\n`)).toEqual([
      expect.stringContaining(`taken for text, but all fit dates like`),
    ])
    expect(await noted(`d,n\n${value},1\n${value},2\n`)).toEqual([expect.stringContaining(`"--date-format ${option}"`)])
    expect(await noted(`d,n\n${value},1\n,2\nx,3\n`)).toEqual([])
  })

  it.each([
    ['28/02/2008,0:10:00,NaN\n28/02/2008,0:20:00,NaN\n', '28/02/2008'],
    ['x,12.5\ny,n/a\n', '12.5'],
    ['x,0:10:00\ny,z\n', '0:10:00'],
    ['x,$1200\ny,z\n', '$1200'],
    ['1999,2000\nx,y\n', '1999'],
  ])('report the value in a first line that was taken as a header: %j', async (content, value) => {
    const note = `The first line was taken for the header, but "${value}" looks like a value of a row`
    expect(await noted(content)).toContainEqual(expect.stringContaining(note))
    for (const header of [true, false]) {
      expect(await noted(content, { header })).not.toContainEqual(expect.stringContaining('The first line'))
    }
  })

  it('report a first line that occurs again among the rows', async () => {
    expect(await noted('Berlin,red\nParis,red\n')).toEqual([expect.stringContaining('holds a value that rows have')])
    expect(await noted('city,colour\nParis,red\nParis,red\n')).toEqual([])
  })

  it.each([
    ['colons', 'a:b\nx:y\n', '":"s'],
    ['carets', 'a^b\nx^y\n', '"^"s'],
    ['semicolons in the rows alone', '"a;b"\nx^y\n', '"^"s'],
  ])('report the single column of a file with %s', async (_, content, mark) => {
    expect(await noted(content)).toContainEqual(
      expect.stringContaining(`All was read as one column: there are ${mark}`),
    )
  })

  it.each([
    ['blanks', 'Weight Waist Pulse\n191 36 50\n189 37 52\n', '--delimiter space'],
    ['tabs below comments', '# made by x\na\tb\n1\t2\n3\t4\n', '--comment #'],
    ['tabs below a title', 'Report\na\tb\n1\t2\n3\t4\n', '--skip-lines 1'],
  ])('name the option that reads several columns of %s', async (_, content, option) => {
    expect(await noted(content)).toContainEqual(expect.stringContaining(`All was read as one column: "${option}"`))
  })

  it('of a refused header name the line below an empty one that is a better header', async () => {
    const refused = noted('"Umsätze";"30 Tage";\n"Konto";"";"x";\n\n"Tag";"Name";"Betrag";\n"1";"x";"2";\n')
    await expect(refused).rejects.toThrow('"--skip-lines 3" (skipLines) takes line 4 for the header.')
    await expect(noted('a,,c\nx,y,z\n')).rejects.not.toThrow('--skip-lines')
  })

  it('name both readings of numbers such as 1,234, and words for missing values among them', async () => {
    const [both] = await noted('a,b\n"1,465",x\n"1,436",y\n')
    expect(both).toContain('"--thousands ," reads them so, or "--decimal ,", if these are decimals.')
    expect(await noted('a,b\n"1,465,000",x\n..,y\n')).toEqual([expect.stringContaining('"--thousands , --null .."')])
    expect(await noted('a;b\n12,5;x\n1,25;y\n')).toEqual([expect.stringContaining('"--decimal ," reads them so.')])
  })

  it('are empty for one column of words, of times, or of quoted texts', async () => {
    expect(await noted('name\nx\ny\n')).toEqual([])
    expect(await noted('at\n2014-10-08 12:30:00\n')).toEqual([])
    expect(await noted('name\n"a, b"\n"c, d"\n')).toEqual([])
  })

  it('report another possible delimiter, single quotes, and content like HTML or JSON', async () => {
    expect(await noted('1,5;2,5\n2,5;3,5\n')).toContainEqual(
      'Fields were separated at each comma; each semicolon would fit as well.',
    )
    expect(await noted('a;b\n1,5;2,5\n', { decimal: ',' })).toEqual([])
    expect(await noted("'a','b'\n'1','x'\n")).toEqual([expect.stringContaining('Single quotes')])
    expect(await noted('<div>a</div>,b\nx,y\n')).toEqual([expect.stringContaining('HTML or XML')])
    expect(await noted('{"a":"x"}\n{"a":"z"}\n')).toContainEqual(expect.stringContaining('JSON'))
  })

  it.each([
    ['1,5', '--decimal ,', 'numbers'],
    ['1,234.50', '--thousands ,', 'numbers'],
    ['1.234,50', '--decimal , --thousands .', 'numbers'],
    ['1 234', '--thousands " "', 'numbers'],
    ['12 %', '--percent', 'numbers'],
    ['$1,200.50', '--currency $ --thousands ,', 'numbers'],
    ['-3,50 €', '--currency € --decimal ,', 'numbers'],
    ['NA', '--null NA', 'numbers'],
  ])('report the option that reads text like %s', async (value, option, what) => {
    const note = `Column "v" was taken for text, but all are ${what}: "${option}" reads them so.`
    expect(await noted(`n;v\nx;7\ny;${value}\n`, { delimiter: ';' })).toEqual([note])
    expect(await noted(`n;v\nx;7\ny;${value}\nz;x\n`, { delimiter: ';' })).toEqual([])
  })

  it('report words for true and false, zeros that are kept, codes like numbers, and times in UTC', async () => {
    expect(await noted('n,v\nx,Yes\ny,no\n')).toEqual([expect.stringContaining('"--booleans yes/no"')])
    expect(await noted('n,v\nx,007\ny,123\n')).toEqual([
      expect.stringMatching(/zeros such as in "007": "--types v=integer"/),
    ])
    expect(await noted('n,v\nx,1E5\ny,123\n')).toEqual([
      'Column "v": "1E5" was read as the number 100000: "--types v=text" (types) keeps it as it is.',
    ])
    expect(await noted('n,v\nx,2026-11-28T10:00:00+02:00\n')).toEqual([expect.stringContaining('converted to UTC')])
  })

  it('report columns that were given names, and a table without rows', async () => {
    expect(await noted('a,,A\n1,2,3\n', { renameColumns: true })).toEqual([
      'Columns were given names: column 2 "column2", the second "A" "A_2".',
    ])
    expect(await noted('a,b\n')).toEqual([expect.stringContaining('a header and no row')])
  })

  it('are empty for texts, numbers, and dates that all exist', async () => {
    expect(await noted('a,b,c,d\nx,1,2014-10-08,\ny,2,2014-10-09,\n')).toEqual([])
    expect(await noted('a\nx\n2014-10-08\ny\n')).toEqual([])
    expect(await noted('a\nw\nx\ny\nz\n2014-10-08\n2014-10-09\n2014-10-10\n2014-10-11\n2014-10-12\n')).toEqual([])
  })

  it('report the guess if the first line may be a header or a row', async () => {
    const header = /^The first line was taken for the header, but fits as a row too: "--no-header"/
    const row = /^The first line was taken for a row, as it fits the others: "--header"/
    expect(await noted('Germany,2014\nFrance,2015\n')).toEqual([expect.stringMatching(header)])
    expect(await noted('1,x\n2,y\n')).toEqual([expect.stringMatching(row)])
    for (const said of [true, false]) expect(await noted('Germany,2014\nFrance,2015\n', { header: said })).toEqual([])
    expect(await noted('country,year\nFrance,2015\n')).toEqual([])
    expect(await noted('country,2014\nFrance,x\n')).toEqual([])
  })
})

describe('the column types of a CSV', () => {
  it('are detected', async () => {
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

  it('are double if a double formats every number as it was written', async () => {
    expect(await typesOf('a,b,c,d\n0.30000000000000004,0.1,1e-7,2.50000000000000000\n')).toEqual({
      a: 'double',
      b: 'double',
      c: 'double',
      d: 'double',
    })
    expect(await typesOf('a,b,c\n0.3000000000000000001,1e-400,1e400\n')).toEqual({ a: 'text', b: 'text', c: 'text' })
  })

  it('include dates: 10/8/2014 is the 8th of October, and the format is reported', async () => {
    const [us, padded] = (await plan('a,b\n10/8/2014,10/08/2014\n1/2/2014,01/02/2014\n')).columns
    expect([us!.dates.pattern, us!.unpadded]).toEqual(['%m/%d/%Y', true])
    expect([padded!.dates.pattern, padded!.unpadded]).toEqual(['%m/%d/%Y', false])
  })

  it.each([
    ['31.12.2014', '%d.%m.%Y'],
    ['1-Feb-2015', '%d-%b-%Y'],
    ['1 September 2015', '%d %b %Y'],
    ['2014/12/31', '%Y/%m/%d'],
  ])('include dates that mean one day only, such as %s', async (value, pattern) => {
    const { columns } = await plan(`d\n${value}\n`)
    expect([columns[0]!.type, columns[0]!.dates.pattern]).toEqual(['date', pattern])
  })

  it('are text if a date is neither clear nor month first, unless its format is given', async () => {
    expect(await typesOf('d\n31/12/2014\n', { header: true })).toEqual({ d: 'text' })
    expect(await typesOf('d\n31/12/2014\n', { dateFormat: 'day-first', header: true })).toEqual({ d: 'date' })
    expect(await typesOf('d\n20141231\n', { header: true })).toEqual({ d: 'integer' })
  })

  it('are text if two formats are mixed', async () => {
    expect(await typesOf('d\n2014-10-08\n10/8/2014\n')).toEqual({ d: 'text' })
  })

  it('are taken from options first, then from earlier imports, then from the sample', async () => {
    const content = 'a,b,c\n1,2,3\n'
    expect(await typesOf(content, { earlierTypes: { a: 'double', b: 'text' } })).toEqual({
      a: 'double',
      b: 'text',
      c: 'integer',
    })
    const csvOptions: CsvOptions = { types: { a: 'decimal(9,2)' }, earlierTypes: { a: 'double' }, allText: true }
    expect(await typesOf(content, csvOptions)).toEqual({ a: 'decimal(9,2)', b: 'text', c: 'text' })
  })

  it('include a requested date column, so that an invalid value is reported', async () => {
    const { columns, dateColumn } = await plan('a,d\n1,2014-02-30\n', { dateColumn: 'd' })
    expect([columns[1]!.type, dateColumn]).toEqual(['date', 'd'])
  })

  it('make the first column of dates the date column', async () => {
    expect((await plan('a,d,e\n1,2014-02-03,2015-01-01\n')).dateColumn).toBe('d')
    expect((await plan('a\n1\n')).dateColumn).toBeNull()
  })

  it('are rejected for missing columns', async () => {
    const missing = (csvOptions: CsvOptions) => plan('a\n1\n', csvOptions)
    await expect(missing({ types: { b: 'text' } })).rejects.toMatchObject({ code: 'invalid-request' })
    await expect(missing({ dateColumn: 'b' })).rejects.toMatchObject({ details: { field: 'dateColumn' } })
    expect((await missing({ dateColumn: 'b', dateColumnOptional: true })).dateColumn).toBeNull()
  })
})
