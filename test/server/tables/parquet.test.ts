import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ImportedFiles } from '../../helpers/imported-file.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

let files: ImportedFiles
beforeAll(async () => {
  files = await ImportedFiles.open()
})
afterAll(() => files.close())

/** A Parquet file of the result of a query. */
async function parquet(select: string, options = ''): Promise<Buffer> {
  const path = join(await temporaryFolder(), 'made.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet ${options})`)
  connection.closeSync()
  return readFile(path)
}

describe('an import of a Parquet file', () => {
  it('maps each type to one of tables', async () => {
    const content = await parquet(`
      SELECT (-5)::TINYINT AS small, 9223372036854775807 AS large, 255::UTINYINT AS u8, 18446744073709551615::UBIGINT AS u64,
        1.5::FLOAT AS f, 1e300 AS d, 12.30::DECIMAL(9,2) AS money, true AS b, DATE '2014-10-08' AS day,
        TIMESTAMP '2014-10-08 12:30:00.25' AS time, TIMESTAMPTZ '2014-10-08 12:30:00+02' AS zoned,
        TIMESTAMP_NS '2014-10-08 12:30:00.123456' AS fine, TIME '12:30:01' AS clock,
        '00000000-0000-0000-0000-000000000001'::UUID AS id, 'a, "b"' AS text, '' AS empty, NULL::VARCHAR AS none
      UNION ALL SELECT ${Array.from({ length: 17 }, () => 'NULL').join(', ')}`)
    for (const bytes of [content, gzipSync(content)]) {
      const { rows, types, dateColumn, columns, notes } = await files.import(bytes)
      expect(types).toEqual({
        ...{ small: 'integer', large: 'integer', u8: 'integer', u64: 'decimal(20,0)', f: 'double', d: 'double' },
        ...{
          money: 'decimal(9,2)',
          b: 'boolean',
          day: 'date',
          time: 'timestamp',
          zoned: 'timestamp',
          fine: 'timestamp',
        },
        ...{ clock: 'text', id: 'text', text: 'text', empty: 'text', none: 'text' },
      })
      expect(rows).toEqual([
        [
          ...[-5, '9223372036854775807', 255, '18446744073709551615', 1.5, 1e300, '12.30', true, '2014-10-08'],
          ...['2014-10-08T12:30:00.25', '2014-10-08T10:30:00', '2014-10-08T12:30:00.123456', '12:30:01'],
          ...['00000000-0000-0000-0000-000000000001', 'a, "b"', '', null],
        ],
        Array.from({ length: 17 }, () => null),
      ])
      expect(dateColumn).toBe('day')
      expect(columns.map(({ nulls }) => nulls)).toEqual([...Array.from({ length: 16 }, () => 1), 2])
      expect(notes).toEqual([
        'Column "u64": its unsigned integers of 64 bits became decimal(20,0).',
        'Column "zoned": its times are in UTC.',
        'Column "clock": its values were written as text.',
      ])
    }
  })

  it('writes nested values as JSON', async () => {
    const { rows, types } = await files.import(
      await parquet("SELECT [1, 2] AS l, {'x': 1, 'y': ['z']} AS s, MAP {'k': 1.5} AS m"),
    )
    expect(types).toEqual({ l: 'text', s: 'text', m: 'text' })
    expect(rows).toEqual([['[1,2]', '{"x":1,"y":["z"]}', '{"k":1.5}']])
  })

  it('keeps the order of many rows, with several threads', async () => {
    const content = await parquet('SELECT range AS n FROM range(100000)', ', ROW_GROUP_SIZE 4096')
    const { rows } = await files.import(content, {}, { threads: 2 })
    expect(rows.map(([n]) => n)).toEqual(Array.from({ length: 100_000 }, (_, at) => at))
  })

  it('has names checked, and given on request', async () => {
    const content = await parquet('SELECT 1 AS " ", 2 AS a')
    expect(await files.refusal(content)).toMatchObject({
      message: expect.stringContaining('Column 1 has no name. "--rename-columns"'),
    })
    const { types, notes } = await files.import(content, { renameColumns: true })
    expect({ types, notes }).toEqual({
      types: { column1: 'integer', a: 'integer' },
      notes: ['Columns were given names: column 1 "column1".'],
    })
  })

  it('imports columns as text on request, and trims text', async () => {
    const content = await parquet("SELECT 1.50::DECIMAL(4,2) AS a, ' x ' AS b, DATE '2014-10-08' AS c")
    expect((await files.import(content, { allText: true })).rows).toEqual([['1.50', ' x ', '2014-10-08']])
    expect((await files.import(content, { types: { c: 'text' } }, { trim: true })).rows).toEqual([
      ['1.50', 'x', '2014-10-08'],
    ])
    expect(await files.refusal(content, { types: { a: 'integer' } })).toMatchObject({
      code: 'invalid-request',
      field: 'types',
    })
    expect(await files.refusal(content, { types: { z: 'text' } })).toMatchObject({
      code: 'invalid-request',
      field: 'types',
    })
    expect(await files.refusal(content, { dateColumn: 'a' })).toMatchObject({
      code: 'invalid-request',
      field: 'dateColumn',
    })
    expect(await files.refusal(content, { delimiter: ';' })).toMatchObject({
      code: 'invalid-request',
      field: 'delimiter',
    })
  })

  it('refuses binary data by the name of its column, and times that would lose digits', async () => {
    const { message } = await files.refusal(await parquet("SELECT 1 AS a, 'x'::BLOB AS photo"))
    expect(message).toMatch(/^Column "photo" is of the type BLOB: binary data/)
    expect((await files.refusal(await parquet("SELECT [{'p': 'x'::BLOB}] AS photos"))).message).toMatch(
      /^Column "photos"/,
    )
    const fine = await parquet("SELECT TIMESTAMP_NS '2014-10-08 12:30:00.123456789' AS t")
    expect((await files.refusal(fine)).message).toMatch(/nanoseconds, which would be lost: "--types t=text"/)
    expect((await files.import(fine, { types: { t: 'text' } })).rows).toEqual([['2014-10-08 12:30:00.123456789']])
  })

  it('refuses a damaged file in words', async () => {
    const content = await parquet('SELECT range AS n FROM range(1000)')
    expect((await files.refusal(content.subarray(0, -10))).message).toMatch(/not whole: its end is missing/)
    const broken = Buffer.from(content)
    broken.fill(0xff, content.length - 200, content.length - 8)
    expect(await files.refusal(broken)).toMatchObject({
      code: 'malformed-csv',
      message: expect.stringMatching(/^The Parquet file is damaged, or of a kind that cannot be read: /),
    })
    const data = Buffer.from(content)
    data.fill(0xff, 4, 200)
    expect((await files.refusal(data)).code).toBe('malformed-csv')
    expect((await files.refusal(Buffer.from('PAR1PAR1'))).code).toBe('malformed-csv')
  })

  it('has no rows where the file has none', async () => {
    const { rows, types } = await files.import(await parquet('SELECT 1 AS a WHERE false'))
    expect({ rows, types }).toEqual({ rows: [], types: { a: 'integer' } })
  })
})
