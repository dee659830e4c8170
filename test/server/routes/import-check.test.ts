import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import type { ImportCheckBody } from '../../../dist/protocol/import-checks.js'
import type { Caller } from '../../helpers/calls.js'
import { holdNextImport } from '../../helpers/engines.js'
import { eventually } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'
import { makeTable } from '../../helpers/tables.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const shared = shareServer()

async function check(content: string | Uint8Array, options: Partial<ImportCheckBody> = {}) {
  const caller = await shared.newCaller()
  await caller.put('a.csv', content)
  const { status, json } = await caller.post('/import/check', { filename: 'a.csv', ...options })
  expect(await partialNames(shared.server.dataFolder)).toEqual([])
  expect((await caller.call('/tables')).json.tables).toEqual([])
  return { status, json, caller }
}

describe('a check of a file', () => {
  it('lists all faults with line, column, offset and text, and advice, and imports nothing', async () => {
    const { status, json } = await check('a,b\n1,x\n2\n3,y\nmany,z\n5,"w"v\n', { types: { a: 'integer' } })
    expect(status).toBe(200)
    expect(json).toEqual({
      file: 'a.csv',
      rows: 2,
      columns: [
        { name: 'a', type: 'integer' },
        { name: 'b', type: 'text' },
      ],
      faults: {
        count: 3,
        first: [
          { line: 3, column: null, reason: '1 field instead of 2', offset: 8, text: '2' },
          { line: 5, column: 'a', reason: '"many" is not an integer', offset: 14, text: 'many,z' },
          { line: 6, column: null, reason: 'text stands after a closing quote', offset: 21, text: '5,"w"v' },
        ],
      },
      advice: '2 of the first 5 rows cannot be read: look for lines above the header, or for another delimiter.',
      notes: [],
      noteFixes: [],
    })
  })

  it('lists 1,000 faults at most, and counts the others', async () => {
    const { json } = await check(`a,b\n1,2\n${'x\n'.repeat(1500)}`)
    expect(json.faults.count).toBe(1500)
    expect(json.faults.first.length).toBe(1000)
    expect(json.faults.first.at(-1)).toMatchObject({ line: 1002, offset: 4 + 4 + 2 * 999 })
  })

  it('has offsets beyond the first piece that is read', async () => {
    const lines = '1,2\n'.repeat(2_000_000)
    const { json } = await check(`a,b\n${lines}3\n`)
    expect(json).toMatchObject({ rows: 2_000_000, faults: { first: [{ offset: 4 + lines.length, text: '3' }] } })
  })

  it('has one fault of a file that cannot be read at all, with advice', async () => {
    expect((await check(Buffer.from('PK\x03\x04 xl/workbook.xml'))).json).toMatchObject({
      faults: { count: 1, first: [{ line: 1, reason: expect.stringContaining('Excel workbook') }] },
    })
    expect((await check('a,\n1,2\n')).json).toMatchObject({
      faults: { count: 1, first: [{ line: 1, reason: 'Column 2 has no name.' }] },
      advice: '"--rename-columns" (renameColumns) gives such columns names.',
    })
    expect((await check(Buffer.from('a,b\nK\xf6ln,1\n', 'latin1'))).json).toMatchObject({
      advice: expect.stringContaining('--encoding windows-1252'),
    })
  })

  it('has none of a file that can be imported, but its columns and notes', async () => {
    const { json } = await check('day,n\n3/4/2026,1\n')
    expect(json).toMatchObject({
      rows: 1,
      columns: [{ type: 'date' }, { type: 'integer' }],
      faults: { count: 0, first: [] },
      advice: null,
      notes: [expect.stringContaining('day-first')],
    })
  })

  it('reads the other formats', async () => {
    const { json } = await check('{"a":1}\n{"a":2}\n')
    expect(json).toMatchObject({ rows: 2, faults: { count: 0 } })
    expect((await check('{"a":1}\n{"a":}\n')).json).toMatchObject({ faults: { count: 1, first: [{ line: 2 }] } })
    const path = join(await temporaryFolder(), 'a.parquet')
    const engine = await (await DuckDBInstance.create(':memory:')).connect()
    await engine.run(`COPY (SELECT 1 AS one) TO '${path}' (FORMAT parquet)`)
    engine.closeSync()
    expect((await check(await readFile(path))).json).toMatchObject({ rows: 1, columns: [{ name: 'one' }] })
  })

  it('shows the first rows, also bad ones, and how they are read, if it is asked to', async () => {
    const text = 'Tag;Preis\n31.12.2026;1,5\n1;2;3\n'
    const { json } = await check(Buffer.from(`${text}01.01.2027;K\xf6ln\n`, 'latin1'), {
      preview: true,
      encoding: 'windows-1252',
    })
    expect(json.preview).toEqual({
      format: 'csv',
      encoding: 'windows-1252',
      delimiter: ';',
      quote: '"',
      header: true,
      dateColumn: 'Tag',
      dateFormats: ['%d.%m.%Y', null],
      rows: [
        { line: 2, values: ['31.12.2026', '1,5'] },
        { line: 3, values: ['1', '2', '3'] },
        { line: 4, values: ['01.01.2027', 'Köln'] },
      ],
    })
    const bare = await check(`${'x'.repeat(300)},1\n`.repeat(40), { preview: true, header: false })
    expect(bare.json.preview).toMatchObject({ header: false, rows: { length: 30, 0: { line: 1 } } })
    expect(bare.json.preview.rows[0].values[0]).toHaveLength(200)
    const other = await check('{"a":1}\n\n{"a":2}\n', { preview: true })
    expect(other.json.preview).toMatchObject({ format: 'json', delimiter: null, rows: [{ line: 1 }, { line: 3 }] })
    expect((await check('a\n1\n')).json).not.toHaveProperty('preview')
  })

  it('has the options that it advises', async () => {
    const { json } = await check('Account\nOwner\nday;sum\n1;2\n3;4\n')
    expect(json).toMatchObject({ fix: { skipLines: 2 } })
    expect((await check(Buffer.from('a,b\nK\xf6ln,1\n', 'latin1'))).json.fix).toEqual({ encoding: 'windows-1252' })
  })

  it.each([
    ['zeros before digits', 'a,b\n007,x\n012,y\n', { types: { a: 'integer' } }],
    ['codes like numbers', 'a,b\n1E5,x\n2,y\n', { types: { a: 'text' } }],
    ['times with offsets', 'a,b\n2026-01-02T03:04:05+01:00,x\n', { types: { a: 'text' } }],
    ['dates in either order', 'a,b\n3/4/2026,x\n', { dateFormats: { a: 'day-first' } }],
    ['dates with the day first', 'a,b\n13/4/2026,x\n', { dateFormats: { a: 'day-first' } }],
    ['dates like numbers', 'a,b\n20260102,x\n20260103,y\n', { dateFormats: { a: '%Y%m%d' } }],
    ['decimal commas', 'a;b\n1,5;x\n', { decimal: ',' }],
    ['groups and missing values', 'a,b\n"1,000",x\n..,y\n', { thousands: ',', nulls: ['..'] }],
    ['amounts in groups', 'a,b\n"$1,000",x\n', { currency: ['$'], thousands: ',' }],
    ['amounts', 'a,b\n$10.5,x\n', { currency: ['$'] }],
    ['percent', 'a,b\n12 %,x\n', { percent: true }],
    ['words for true and false', 'a,b\nyes,x\nno,y\n', { booleans: ['yes/no'] }],
    ['a first line that may be a row', '1,2\n3,4\n', { header: true }],
    ['a first line that may be names', 'a,b\na,c\n', { header: false }],
    ['numbers in quotes', '{"a":"1"}\n{"a":"2"}\n', { types: { a: 'double' } }],
  ])('has the options that a note proposes on %s, with which there is no such note', async (_, content, fix) => {
    const { json } = await check(content)
    const at = json.noteFixes.findIndex((each: unknown) => each !== null)
    expect(json.noteFixes[at]).toEqual(fix)
    expect(json.noteFixes).toHaveLength(json.notes.length)
    const mended = (await check(content, fix as Partial<ImportCheckBody>)).json
    expect(mended.faults.count).toBe(0)
    expect(mended.notes).not.toContain(json.notes[at])
  })

  it('takes the types of the table of that name, unless its rows would be replaced', async () => {
    const caller = await shared.newCaller()
    await makeTable(caller, 'a', 'n\n1\n')
    await caller.put('a.csv', 'n\nx\n')
    const { json } = await caller.post('/import/check', { filename: 'a.csv' })
    expect(json.faults).toMatchObject({ count: 1, first: [{ column: 'n' }] })
    const { json: other } = await caller.post('/import/check', { filename: 'a.csv', table: 'b' })
    expect(other.faults.count).toBe(0)
    const { json: replacing } = await caller.post('/import/check', { filename: 'a.csv', replace: true })
    expect(replacing.faults.count).toBe(0)
  })

  async function begin(): Promise<{ caller: Caller; id: string; answer: Promise<{ json: unknown }>; leave(): void }> {
    const caller = await shared.newCaller()
    await caller.put('a.csv', 'a\n1\n')
    const held = holdNextImport()
    const controller = new AbortController()
    const answer = fetch(`${caller.url}/import/check`, {
      method: 'POST',
      headers: { authorization: `Bearer ${caller.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ filename: 'a.csv' }),
      signal: controller.signal,
    }).then(async (response) => ({ json: await response.json() }))
    answer.catch(() => {})
    await held
    const { id } = await caller.findJob('kind=import')
    return { caller, id, answer, leave: () => controller.abort() }
  }

  it('is a job that can be stopped', async () => {
    const { caller, id, answer } = await begin()
    expect((await caller.post(`/jobs/${id}/stop`)).status).toBe(200)
    expect((await answer).json).toMatchObject({ status: 409, code: 'job-stopped' })
    expect(await partialNames(shared.server.dataFolder)).toEqual([])
  })

  it('ends with the connection of its client', async () => {
    const { caller, id, leave } = await begin()
    leave()
    await eventually('the job has failed', async () => (await caller.job(id)).state === 'failed')
    expect(await partialNames(shared.server.dataFolder)).toEqual([])
  })
})
