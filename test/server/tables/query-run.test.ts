import { describe, expect, it } from 'vitest'
import { executeQuery } from '../../../dist/server/tables/query-run.js'

const task = { tables: [], maxRows: 1000, maxBytes: 1024 ** 2, memoryBytes: 256 * 1024 ** 2, threads: 1 }

/** The values of the first row, or the message of the refusal. */
async function valuesOf(sql: string, limits: Partial<typeof task> = {}): Promise<unknown> {
  const report = await executeQuery({ ...task, ...limits, sql })
  return report.type === 'done' ? Object.values(report.answer.results[0] ?? {}) : report.message
}

describe("a value of a query's answer", () => {
  it.each([
    ['null, booleans and text are themselves', "select null, true, 'a'", [null, true, 'a']],
    ['integers up to 2^53 are numbers', 'select 1, 9007199254740991::bigint', [1, 9007199254740991]],
    ['larger integers are strings', 'select 9007199254740993, 2::hugeint ** 100 > 0', ['9007199254740993', true]],
    [
      'numbers that JSON lacks are strings',
      "select 'inf'::double, 'nan'::double, 1.5::double",
      ['Infinity', 'NaN', 1.5],
    ],
    ['decimals are strings', 'select 1.50::decimal(5, 2)', ['1.50']],
    [
      'dates are those of ISO 8601',
      "select date '2024-02-29', 'infinity'::date, '-infinity'::date",
      ['2024-02-29', 'infinity', '-infinity'],
    ],
    [
      'a date beyond those of a Date is a number of milliseconds',
      "select date '300000-01-01'",
      [expect.stringMatching(/^\d+$/)],
    ],
    [
      'times have as many digits as they need',
      "select timestamp '2024-01-01 12:00:00', timestamp '1969-12-31 23:59:59.25', 'infinity'::timestamp",
      ['2024-01-01T12:00:00', '1969-12-31T23:59:59.25', 'infinity'],
    ],
    [
      'times with a zone are those of UTC',
      "select '2024-01-01 12:00:00+02'::timestamptz, '-infinity'::timestamptz",
      ['2024-01-01T10:00:00Z', '-infinity'],
    ],
    [
      'times of other precisions are alike',
      "select '2024-01-01'::timestamp_s, '2024-01-01 00:00:00.5'::timestamp_ms, '2024-01-01 00:00:00.000001'::timestamp_ns",
      ['2024-01-01T00:00:00', '2024-01-01T00:00:00.5', '2024-01-01T00:00:00.000001'],
    ],
    [
      'a time beyond those of a Date is a number of microseconds',
      "select timestamp '290000-01-01 00:00:00'",
      [expect.stringMatching(/^\d+$/)],
    ],
    [
      'lists and arrays are arrays',
      'select [1, null], [1, 2]::int[2]',
      [
        [1, null],
        [1, 2],
      ],
    ],
    ['structs are objects', "select {'a': 1, 'b': {'c': 'd'}}", [{ a: 1, b: { c: 'd' } }]],
    ['maps are arrays of pairs', "select map {'a': 1}", [[['a', 1]]]],
    ['a union is its value', "select union_value(k := 'v')", ['v']],
    ['bytes are base64', "select '\\xFF\\x00'::blob", ['/wA=']],
    ['everything else is text', "select time '12:00', interval 1 day", ['12:00:00', '1 day']],
  ])('is of JSON: %s', async (_title, sql, values) => {
    expect(await valuesOf(sql)).toEqual(values)
  })
})

describe('the answer of a query', () => {
  it('names the type of each column, and makes equal names different', async () => {
    const report = await executeQuery({ ...task, sql: 'select 1 as a, 2 as a, 1.5::float as b, [1] as c' })
    expect(report).toMatchObject({
      answer: {
        columns: [
          { name: 'a', type: 'integer' },
          { name: 'a:1', type: 'integer' },
          { name: 'b', type: 'double' },
          { name: 'c', type: 'integer[]' },
        ],
        truncated: false,
      },
    })
  })

  it('is cut at the most rows or bytes, and says so', async () => {
    const sql = "select 'ten bytes.' from range(100)"
    const byRows = await executeQuery({ ...task, sql, maxRows: 3 })
    expect(byRows).toMatchObject({ answer: { results: { length: 3 }, truncated: true } })
    const byBytes = await executeQuery({ ...task, sql, maxBytes: 100 })
    expect(byBytes).toMatchObject({ answer: { results: { length: 3 }, truncated: true } })
  })

  it('is a refusal where the first row alone exceeds the bytes', async () => {
    expect(await valuesOf("select repeat('a', 2000000)")).toMatch(/first row alone has more than 1 MiB/)
  })

  it.each([
    ['no table of that name', 'from missing', /"?missing"?/],
    [
      'more memory than it may have',
      'select count(distinct hash(range)) from range(100000000)',
      /more memory than a query/,
    ],
    ['no sense', 'selec 1', /syntax error/i],
    ['a value that cannot be converted', "select 'a'::int", /Could not convert string 'a'/],
  ])('is a refusal of a query with %s', async (_title, sql, message) => {
    expect(await valuesOf(sql, { memoryBytes: 64 * 1024 ** 2 })).toMatch(message)
  })

  it("is a refusal that names the table instead of its file, where the table's file is gone", async () => {
    const tables = [
      { name: 't', select: "select * from read_parquet('/nowhere/1.parquet')", paths: ['/nowhere/1.parquet'] },
    ]
    const report = await executeQuery({ ...task, sql: 'from t', tables })
    expect(report).toMatchObject({ type: 'failed', code: 'malformed-query' })
    expect(JSON.stringify(report)).not.toContain('/nowhere')
  })
})
