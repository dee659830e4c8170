import { describe, expect, it } from 'vitest'
import { deferred } from '../../../dist/server/concurrency/deferred.js'
import { executeQuery } from '../../../dist/server/tables/query-run.js'
import type { ResultReport, ResultTask } from '../../../dist/server/tables/result-messages.js'
import { openResults } from '../../../dist/server/tables/result-run.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const limits = { tables: [], memoryBytes: 256 * 1024 ** 2, threads: 1 }
const values = "select 1 a, 'x,\"y' b, null c, '' d, [1, 2] e"

/** Runs a task in this process, and asks for each batch. */
async function resultOf(sql: string, changes: Partial<ResultTask> = {}) {
  const output = `${await temporaryFolder()}/result.parquet`
  const task: ResultTask = {
    ...limits,
    sql,
    isOfUser: true,
    values: {},
    maxRows: null,
    format: 'csv',
    output,
    ...changes,
  }
  const end = deferred<Exclude<ResultReport, { type: 'bytes' }>>()
  const batches: string[] = []
  const run = openResults((report) => {
    if (report.type !== 'bytes') return end.resolve(report)
    batches.push(Buffer.from(report.bytes).toString())
    setImmediate(run, { type: 'next' })
  })
  run({ type: 'run', task })
  return { end: await end.promise, batches, text: batches.join(''), output }
}

describe('a result that is sent', () => {
  it('as CSV quotes what needs it, and tells an empty text from a missing value', async () => {
    const { text, end } = await resultOf(values)
    expect(text).toBe('a,b,c,d,e\n1,"x,""y",,"","[1,2]"\n')
    expect(end).toEqual({ type: 'done', rows: 1 })
  })

  it('as NDJSON has an object a line, and none without rows', async () => {
    const { text } = await resultOf(values, { format: 'ndjson' })
    expect(JSON.parse(text)).toEqual({ a: 1, b: 'x,"y', c: null, d: '', e: [1, 2] })
    expect(await resultOf('select 1 where false', { format: 'ndjson' })).toMatchObject({
      batches: [],
      end: { type: 'done', rows: 0 },
    })
  })

  it('comes in batches, each when it is asked for', async () => {
    const { batches, text, end } = await resultOf('select range from range(200000)')
    expect(batches.length).toBeGreaterThan(3)
    expect(text.trimEnd().split('\n')).toHaveLength(200_001)
    expect(end).toEqual({ type: 'done', rows: 200_000 })
  })

  it.each(['csv', 'ndjson', 'parquet'] as const)('ends after the most rows that are wanted: %s', async (format) => {
    const { end } = await resultOf('select range from range(5000)', { format, maxRows: 3 })
    expect(end).toEqual({ type: 'done', rows: 3 })
  })

  it.each([
    [true, 'select 1 x -- a comment', {}],
    [false, 'SELECT 1 AS x', {}],
    [false, 'SELECT $x::INTEGER AS x', { x: '1' }],
  ])('is a Parquet file; of a user: %s, %s', async (isOfUser, sql, bound) => {
    const { output, end } = await resultOf(sql, { format: 'parquet', isOfUser, values: bound })
    expect(end).toEqual({ type: 'done', rows: 1 })
    const select = `SELECT x FROM read_parquet('${output}')`
    const tables = [{ name: 'written', select, paths: [output] }]
    const report = await executeQuery({ ...limits, tables, sql: 'from written', maxRows: 10, maxBytes: 1000 })
    expect(report).toMatchObject({ type: 'done', answer: { results: [{ x: 1 }] } })
  })

  it('fails with the reason, which does not name the file that was to be written', async () => {
    for (const format of ['csv', 'parquet'] as const) {
      const { end, output } = await resultOf("select 'x'::integer", { format })
      expect(end).toMatchObject({ type: 'failed', code: 'malformed-query', trace: null })
      expect(JSON.stringify(end)).not.toMatch(new RegExp(`${output}|COPY`))
    }
    expect((await resultOf('select * from other')).end).toMatchObject({ type: 'failed', code: 'malformed-query' })
  })
})
