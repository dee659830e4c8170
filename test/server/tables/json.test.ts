import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readJsonRecords } from '../../../dist/server/tables/json-records.js'
import { findJsonFault } from '../../../dist/server/tables/json-syntax.js'
import { ImportedFiles } from '../../helpers/imported-file.js'
import { check, checkAsync } from '../../helpers/properties.js'

let files: ImportedFiles
beforeAll(async () => {
  files = await ImportedFiles.open()
})
afterAll(() => files.close())

const json = (value: unknown) => JSON.stringify(value)

/** The objects of a text, read in chunks of these sizes, with their lines. */
async function read(text: string | Buffer, sizes = [7]) {
  const bytes = Buffer.from(text)
  const found: { line: number; members: [string, unknown][] }[] = []
  const open = async function* () {
    for (let at = 0, part = 0; at < bytes.length; part++) {
      const size = sizes[Math.min(part, sizes.length - 1)]!
      yield bytes.subarray(at, at + size)
      at += size
    }
  }
  for await (const records of readJsonRecords(open)) {
    for (const { line, members } of records) found.push({ line, members: [...members] })
  }
  return found
}

/** The value that a member stands for. */
function jsonValueOf(member: unknown): unknown {
  const { kind, text } = (member ?? { kind: 'null', text: 'null' }) as { kind: string; text: string }
  return kind === 'text' ? text : JSON.parse(text)
}

describe('an import of JSON', () => {
  it.each([
    ['an array', '[{"a": 1, "b": "x"},\n {"b": "y", "c": true}]'],
    ['one object a line', '{"a": 1, "b": "x"}\n{"b": "y", "c": true}\n'],
    ['lines that end with CRLF, and a byte order mark', '\ufeff{"a":1,"b":"x"}\r\n\r\n{"b":"y","c":true}'],
    ['objects over several lines', '{\n  "a": 1,\n  "b": "x"\n}\n{\n  "b": "y",\n  "c": true\n}\n'],
    ['UTF-16', Buffer.from('[{"a":1,"b":"x"},{"b":"y","c":true}]', 'utf16le')],
    ['gzip', gzipSync('{"a":1,"b":"x"}\n{"b":"y","c":true}\n')],
  ])('has a column for each key, in the order of appearance: %s', async (_, content) => {
    const { rows, types, notes } = await files.import(content)
    expect(types).toEqual({ a: 'integer', b: 'text', c: 'boolean' })
    expect(rows).toEqual([
      [1, 'x', null],
      [null, 'y', true],
    ])
    expect(notes).toEqual([])
  })

  it('gives every value the type it has, and keeps all digits', async () => {
    const content = [
      '{"i":-9223372036854775808,"big":18446744073709551616,"d":1.50,"e":1E2,"code":"007","n":"12","t":"2014-10-08T12:00:00Z","day":"2014-10-08"}',
      '{"i":9007199254740993,"big":0.12345678901234567890,"d":2,"e":-1e-3,"code":"1","n":"1.5","t":"2014-10-09T12:00:00Z","day":"2014-10-09"}',
    ]
    const { rows, types, notes } = await files.import(content.join('\n'))
    expect(types).toEqual({
      i: 'integer',
      big: 'text',
      d: 'double',
      e: 'double',
      code: 'text',
      n: 'text',
      t: 'timestamp',
      day: 'date',
    })
    expect(rows).toEqual([
      ['-9223372036854775808', '18446744073709551616', 1.5, 100, '007', '12', '2014-10-08T12:00:00', '2014-10-08'],
      ['9007199254740993', '0.12345678901234567890', 2, -0.001, '1', '1.5', '2014-10-09T12:00:00', '2014-10-09'],
    ])
    expect(notes).toEqual([
      expect.stringMatching(
        /^Column "big" was taken for text: line 1 has 18446744073709551616, .* "--types big=double"/,
      ),
      expect.stringMatching(/^Column "n" was taken for text, because its numbers stand in quotes: "--types n=double"/),
    ])
    const asked = await files
      .import(content.join('\n'), { types: { big: 'decimal(38,18)', n: 'double' } })
      .catch((error) => error)
    expect(asked.message).toMatch(/^Line 2, column "big": "0\.12345678901234567890" is not a decimal/)
  })

  it('keeps nested values as JSON, and mixed values as text', async () => {
    const { rows, notes } = await files.import(
      '[{"o": {"x": 1.10, "s": "a  \\" ]}"}, "l": [1, [2]], "m": 1}, {"o": null, "l": [], "m": "x\\ny, \\"z\\""}]',
    )
    expect(rows).toEqual([
      ['{"x":1.10,"s":"a  \\" ]}"}', '[1,[2]]', '1'],
      [null, '[]', 'x\ny, "z"'],
    ])
    expect(notes).toEqual(['Column "m" was taken for text, because it has values of several kinds: number, text.'])
  })

  it('reads an empty text as a missing value, and says so', async () => {
    const { rows, notes } = await files.import('{"a":"","b":1}\n{"a":" ","b":2}\n')
    expect(rows).toEqual([
      [null, 1],
      [' ', 2],
    ])
    expect(notes).toEqual(['Column "a": 1 empty texts were read as missing values.'])
  })

  it('finds a key that appears late, and types that appear late', async () => {
    const lines = Array.from({ length: 60_000 }, (_, at) => json({ a: at, text: 'some text' }))
    lines[50_000] = '{"a":1.5,"late":true}'
    const { rows, types } = await files.import(lines.join('\n'))
    expect(types).toEqual({ a: 'double', text: 'text', late: 'boolean' })
    expect(rows[50_000]).toEqual([1.5, null, true])
    expect(rows[59_999]).toEqual([59_999, 'some text', null])
  })

  it('names columns that a CSV could not name', async () => {
    const { columns, rows } = await files.import('{"sep=;":1}\n{"sep=;":null}\n{}\n')
    expect({ name: columns[0]!.name, rows }).toEqual({ name: 'sep=;', rows: [[1], [null], [null]] })
    expect((await files.import('{"a,\\"b\\"":"\\ufeffx"}')).columns.map(({ name }) => name)).toEqual(['a,"b"'])
  })

  it('names the line of the file where a value does not fit', async () => {
    const content = '[\n {"a": "x\\ny",\n  "b": 1},\n {"a": "z",\n  "b": 2}\n]'
    const options = { types: { a: 'integer' as const } }
    expect(await files.refusal(content, options)).toMatchObject({ line: 2, column: 'a' })
    const many = `{"a":"1\\r\\n2","d":"2014-10-08"}\n`.repeat(50_000)
    expect(await files.refusal(`${many}{"a":"","d":"x"}\n`)).toMatchObject({
      line: 50_001,
      column: 'd',
      reason: '"x" is not a date like %Y-%m-%d',
    })
    const { skipped } = await files.import(
      '{"a":1}\n\n{"a":"x"}\n{"a":2}\n{"a":"y"}',
      { types: { a: 'integer' } },
      { skipBadLines: true },
    )
    expect(skipped.first.map(({ line }) => line)).toEqual([3, 5])
  })

  it('names the line of a value that prevents dates', async () => {
    const { notes } = await files.import('\n{"d":"2014-10-08"}\n\n{"d":"no"}\n{"d":"2014-10-09"}')
    expect(notes).toEqual([expect.stringMatching(/^Column "d" was taken for text: line 4 has "no"/)])
  })

  it('says where the rows may be in a file of one object', async () => {
    const { rows, notes } = await files.import('{"count": 2, "results": [{"a": 1}, {"a": 2}]}')
    expect(rows).toEqual([[2, '[{"a":1},{"a":2}]']])
    expect(notes).toEqual(['The file is one object and became one row; the rows may be in "results".'])
  })

  it.each([
    ['a comma too many', '[{"a":1},\n]', /^Line 2: The JSON cannot be read at offset 10: an object instead of "]"\./],
    ['a missing comma', '[{"a":1}\n{"a":2}]', /^Line 2: .* offset 9: a comma or "]" instead of "\{"/],
    ['an array without end', '[{"a":1}\n', /the array is never closed/],
    ['text behind it', '[{"a":1}]\nx', /^Line 2: .* offset 10: "x" behind the end of the array/],
    ['two objects in a line', '{"a":1}\n{"a":2} {"a":3}', /^Line 2: .* offset 16: "\{" behind an object, in its line/],
    ['an array of arrays', '[[1,2]]', /offset 1: an array where an object is expected/],
    ['an array of numbers', '[1, 2]', /offset 1: a value where an object is expected/],
    ['a scalar among objects', '{"a":1}\n42\n', /^Line 2: .* offset 8: a value where an object is expected/],
    ['a word', '{"a":1}\n{"a":nul}', /^Line 2: .* offset 13: a value instead of "n"/],
    ['an object without end', '{"a":1}\n{"a":2,', /^Line 2: .* offset 15: the text ends too early/],
    ['a missing brace', '{"a":1\n{"a":2}\n', /^Line 2: .* offset 7: a comma or "}" instead of "\{"/],
    [
      'a key that stands there twice',
      '{"a":1}\n{"b":1,"b":1}',
      /^Line 2: .* offset 15: the key "b" stands there twice/,
    ],
    ['half a character', '{"a":"\\ud83d"}', /offset 5: an escape such as .* half a character/],
    ['a NUL', '{"a":1,"b":"\\u0000"}', /^Line 1: a NUL byte/],
    ['no object', '[]', /no object with a key/],
    [
      'bytes that are not UTF-8',
      Buffer.from('{"a":"x"}\n{"a":"\xf6"}', 'latin1'),
      /^Line 2: bytes that are not UTF-8: 0xf6 at offset 16/,
    ],
    ['3 MB in one object', `{"a":"${'x'.repeat(3_000_000)}"}`, /longer than 2,000,000 bytes/],
    [
      'a quote that is never closed',
      `{"a":1}\n{"a":"x}\n${'{"a":"x"}\n'.repeat(300_000)}`,
      /^Line 2: .*control character within a string/,
    ],
  ])('is refused with line and offset: %s', async (_, content, message) => {
    const refusal = await files.refusal(content)
    expect(refusal).toMatchObject({ code: 'malformed-csv', message: expect.stringMatching(message) })
  })

  it('is refused with an option for CSV, and read as CSV with a delimiter', async () => {
    expect(await files.refusal('{"a":1}', { decimal: ',' })).toMatchObject({
      code: 'invalid-request',
      field: 'decimal',
    })
    expect(await files.refusal('{"a":1}', { header: false })).toMatchObject({
      code: 'invalid-request',
      field: 'header',
    })
    expect((await files.import('{"a":1};x\n{};y\n', { delimiter: ';', header: false, quote: '' })).rows).toEqual([
      ['{"a":1}', 'x'],
      ['{}', 'y'],
    ])
  })
})

const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }), { maxLength: 5 })

describe('the reader of JSON', () => {
  it('agrees with JSON.parse, in any chunks and with any white space', async () => {
    await checkAsync(
      fc.asyncProperty(
        objects,
        fc.constantFrom<string | number>('', 1, '\t'),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (values, indent, inLines, sizes) => {
          const text = inLines
            ? values.map((value) => JSON.stringify(value, null, indent)).join('\n')
            : JSON.stringify(values, null, indent)
          const found = await read(text, sizes)
          const back = found.map(({ members }) => members.map(([key, member]) => [key, jsonValueOf(member)]))
          const parsed = (JSON.parse(JSON.stringify(values)) as object[]).map((value) => Object.entries(value))
          expect(back.map((each) => new Map(each as never))).toEqual(parsed.map((each) => new Map(each as never)))
        },
      ),
      300,
    )
  })

  it('refuses what JSON.parse refuses, and finds a place within the text', async () => {
    const parts = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b\\',
      '"',
      '1',
      '-',
      '01',
      '1.',
      'e5',
      'true',
      'nul',
      ' ',
      '\n',
      '\\u12',
      'x',
    )
    await checkAsync(
      fc.asyncProperty(fc.array(parts, { maxLength: 12 }), async (all) => {
        const text = `[{"k":${all.join('')}}]`
        let isValid = true
        try {
          JSON.parse(text)
        } catch {
          isValid = false
        }
        const refused = await read(text).then(
          () => undefined,
          (error) => error.message as string,
        )
        if (!isValid) expect(refused).toMatch(/at offset \d+: /)
        else expect(refused ?? 'twice').toMatch(/twice|half|where an object/)
      }),
      1000,
    )
  })

  it('finds a fault in every text that JSON.parse refuses, not before its valid start', () => {
    check(
      fc.property(fc.jsonValue(), fc.nat(), (value, cut) => {
        const text = JSON.stringify(value)
        const broken = `${text.slice(0, cut % text.length)}\u0001`
        expect(findJsonFault(broken).at).toBeLessThanOrEqual(broken.length)
        expect(findJsonFault(text)).toEqual({ at: text.length, reason: 'the text ends too early' })
      }),
      300,
    )
  })
})
