import { beforeAll, describe, expect, it } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { makeTable } from '../../helpers/tables.js'

const shared = shareServer()
let ann: Caller
/** The numbers of the imports of `t`, newest first. */
let ids: number[]

beforeAll(async () => {
  ann = await shared.newCaller()
  const first = await makeTable(ann, 't', 'id,day,name\n1,2014-10-08,x\n2,2014-10-09,"y, ""z"""\n3,2014-10-10,\n')
  const second = await makeTable(ann, 't', 'id,day,name\n4,2014-10-09,v\n5,2014-10-11,w\n')
  ids = [second.id, first.id]
})

async function rows(query = '', caller = ann) {
  return (await caller.call(`/tables/t/rows${query}`)).json
}

async function idsOf(query: string): Promise<number[]> {
  return (await rows(query)).results.map(({ id }: { id: number }) => id)
}

describe('tables', () => {
  it('are listed with their columns, rows and imports', async () => {
    const { status, json } = await ann.call('/tables')
    expect(status).toBe(200)
    const columns = [
      { name: 'id', type: 'integer' },
      { name: 'day', type: 'date' },
      { name: 'name', type: 'text' },
    ]
    expect(json.tables).toEqual([
      {
        name: 't',
        rows: 5,
        columns,
        dateColumn: 'day',
        imports: [
          expect.objectContaining({
            id: ids[0],
            rows: 2,
            file: 't.csv',
            columns,
            sha256: expect.stringMatching(/^\w{64}$/),
          }),
          expect.objectContaining({ id: ids[1], rows: 3, skipped: { count: 0, first: [] } }),
        ],
      },
    ])
    expect((await ann.call('/tables/t')).json).toEqual(json.tables[0])
  })

  it('of another account are answered as missing', async () => {
    const bob = await shared.newCaller()
    expect((await bob.call('/tables')).json).toEqual({ tables: [] })
    for (const [method, path] of [
      ['GET', '/tables/t'],
      ['GET', '/tables/t/rows'],
      ['GET', '/tables/t/summary'],
      ['DELETE', '/tables/t'],
      ['DELETE', `/tables/t/imports/${ids[0]}`],
    ] as const) {
      expect((await bob.call(path, { method })).json, path).toMatchObject({ status: 404, code: 'table-not-found' })
    }
  })

  it.each(['missing', 'T', '%22t%22', 't%27--', 'x'.repeat(100)])('called %s are answered as missing', async (name) => {
    expect((await ann.call(`/tables/${name}/rows`)).json).toMatchObject({ status: 404, code: 'table-not-found' })
  })

  it('are renamed only while If-Match holds', async () => {
    const caller = await shared.newCaller()
    await makeTable(caller, 'a', 'n\n1\n')
    const tag = String((await caller.call('/tables/a')).headers.etag)
    const patch = (body: object) => caller.call('/tables/a', { method: 'PATCH', body, headers: { 'If-Match': tag } })
    expect((await patch({ renameColumn: { from: 'n', to: 'm' } })).json).toMatchObject({
      columns: [{ name: 'm', type: 'integer' }],
    })
    for (const body of [{ renameColumn: { from: 'm', to: 'n' } }, { name: 'b' }]) {
      expect((await patch(body)).json).toMatchObject({ status: 412, code: 'precondition-failed' })
    }
    for (const body of [{}, { name: 'B' }, { name: 'b', renameColumn: { from: 'm', to: 'n' } }]) {
      expect((await patch(body)).json).toMatchObject({ status: 400, code: 'invalid-request' })
    }
  })

  it('are removed one import at a time, or whole', async () => {
    const caller = await shared.newCaller()
    const first = await makeTable(caller, 'gone', 'a\n1\n')
    const second = await makeTable(caller, 'gone', 'a\n2\n')
    const remove = async (path: string) => (await caller.call(path, { method: 'DELETE' })).status
    expect(await remove(`/tables/gone/imports/${first.id}`)).toBe(204)
    expect(await remove(`/tables/gone/imports/${first.id}`)).toBe(404)
    expect(await remove('/tables/gone/imports/x')).toBe(404)
    expect((await caller.call('/tables/gone/rows')).json.results).toEqual([{ a: 2 }])
    expect(await remove(`/tables/gone/imports/${second.id}`)).toBe(204)
    expect((await caller.call('/tables/gone')).status).toBe(404)
    await makeTable(caller, 'gone', 'a\n3\n')
    expect(await remove('/tables/gone')).toBe(204)
    expect(await remove('/tables/gone')).toBe(404)
    expect((await caller.call('/tables')).json).toEqual({ tables: [] })
  })

  it('cannot be removed by the role client', async () => {
    const client = await shared.newCaller('client')
    expect((await client.call('/tables/t', { method: 'DELETE' })).status).toBe(403)
  })
})

describe('table rows', () => {
  it('have the order of the files, oldest import first', async () => {
    expect(await rows()).toEqual({
      count: 5,
      next: null,
      previous: null,
      limit: 100,
      columns: expect.anything(),
      results: [
        { id: 1, day: '2014-10-08', name: 'x' },
        { id: 2, day: '2014-10-09', name: 'y, "z"' },
        { id: 3, day: '2014-10-10', name: null },
        { id: 4, day: '2014-10-09', name: 'v' },
        { id: 5, day: '2014-10-11', name: 'w' },
      ],
    })
  })

  it.each(['', '&from=2014-10-09', '&from=2014-10-09&to=2014-10-11'])(
    'are split into consecutive pages%s',
    async (filter) => {
      const all = await idsOf(`?limit=1000${filter}`)
      const seen: number[] = []
      let path: string | null = `/tables/t/rows?limit=2${filter}`
      let last = path
      while (path) {
        last = path
        const { json }: { json: { results: { id: number }[]; next: string | null } } = await ann.call(path)
        seen.push(...json.results.map(({ id }) => id))
        path = json.next
      }
      expect(seen).toEqual(all)
      const { previous } = (await ann.call(last)).json
      const before = (await ann.call(previous)).json.results.map(({ id }: { id: number }) => id)
      const start = Math.floor((all.length - 1) / 2) * 2 - 2
      expect(before).toEqual(all.slice(start, start + 2))
    },
  )

  it.each([
    ['?from=2014-10-09', [2, 3, 4, 5]],
    ['?to=2014-10-09', [1]],
    ['?from=2014-10-09&to=2014-10-10', [2, 4]],
    ['?from=2014-10-09&to=2014-10-09', []],
    ['?from=2014-10-08T12:00:00Z&to=2014-10-10T00:00:00Z', [2, 4]],
    ['?from=2014-10-10&column=DAY', [3, 5]],
    ['?column=day', [1, 2, 3, 4, 5]],
    ['?from=2014-10-09&limit=2&offset=1', [3, 4]],
    ['?from=2014-10-09&limit=2&offset=3', [5]],
    ['?from=2099-01-01', []],
  ])('can be filtered from a date on, and before one: %s', async (query, expected) => {
    expect(await idsOf(query)).toEqual(expected)
  })

  it.each([
    ['?from=2014-10-10&to=2014-10-09', 'from'],
    ['?from=2014-02-30', 'from'],
    ['?to=10/8/2014', 'to'],
    ["?from=2014-10-08'%20or%201=1--", 'from'],
    ['?from=2014-10-08T25:00:00', 'from'],
    ['?from=2014-10-08&column=name', 'column'],
    ['?from=2014-10-08&column=nothing', 'column'],
    ['?limit=-1', 'limit'],
    ['?limit=0', 'limit'],
    ['?limit=1.5', 'limit'],
    ['?limit=many', 'limit'],
    ['?offset=-1', 'offset'],
  ])('are rejected for %s', async (query, field) => {
    expect(await rows(query)).toMatchObject({ status: 400, code: 'invalid-request', field })
  })

  it('are limited to a thousand, as the response reports', async () => {
    const caller = await shared.newCaller()
    await makeTable(caller, 't', `a\n${Array.from({ length: 1500 }, (_, row) => row).join('\n')}\n`)
    const page = await rows('?limit=1000000000', caller)
    expect([page.limit, page.results.length, page.count]).toEqual([1000, 1000, 1500])
    expect(page.next).toBe('/tables/t/rows?limit=1000&offset=1000')
    const rest = (await caller.call(page.next)).json
    expect([rest.results.length, rest.results.at(-1), rest.next]).toEqual([500, { a: 1499 }, null])
    expect((await rows('?offset=5000', caller)).results).toEqual([])
  })

  it('have large integers and decimals as text, and unchanged names', async () => {
    const caller = await shared.newCaller()
    const content = `big,dec,"a ""b"", c",__proto__,time,bool\n9007199254740993,1.5,é,p,2014-10-08 12:30:00,true\n`
    await makeTable(caller, 'kinds', content, { types: { dec: 'decimal(9,2)' } })
    const { body, json } = await caller.call('/tables/kinds/rows')
    const line = `{"big":"9007199254740993","dec":"1.50","a \\"b\\", c":"é","__proto__":"p","time":"2014-10-08T12:30:00","bool":true}`
    expect(body.toString()).toContain(line)
    expect(json.count).toBe(1)
    const lines = await caller.call('/tables/kinds/rows', { headers: { Accept: 'application/x-ndjson' } })
    expect(lines.body.toString()).toBe(`${line}\n`)
  })

  it('keep a byte order mark at the start of a text', async () => {
    const caller = await shared.newCaller()
    await makeTable(caller, 't', 'a,b\n\ufeffx,1\n')
    expect((await caller.call('/tables/t/rows')).json.results).toEqual([{ a: '\ufeffx', b: 1 }])
  })

  it('of imports that differ have all columns, as text where types differ', async () => {
    const caller = await shared.newCaller()
    await makeTable(caller, 'mixed', 'a,b,day\n1,x,2014-10-08\n')
    await makeTable(caller, 'mixed', 'b,c,day,a\ny,2.5,soon,one\n', { types: { a: 'text', day: 'text' } })
    const { columns, results } = (await caller.call('/tables/mixed/rows')).json
    expect(columns).toEqual([
      { name: 'b', type: 'text' },
      { name: 'c', type: 'double' },
      { name: 'day', type: 'text' },
      { name: 'a', type: 'text' },
    ])
    expect(results).toEqual([
      { b: 'x', c: null, day: '2014-10-08', a: '1' },
      { b: 'y', c: 2.5, day: 'soon', a: 'one' },
    ])
    // A column that holds no dates in an import has no row there that could match.
    const { json } = await caller.call('/tables/mixed/rows?from=2000-01-01')
    expect([json.count, json.results.length]).toEqual([1, 1])
    const { body } = await caller.call('/tables/mixed/rows', { headers: { Accept: 'text/csv' } })
    expect(body.toString()).toBe('b,c,day,a\nx,,2014-10-08,1\ny,2.5,soon,one\n')
    const { json: asked } = await caller.post('/query', { sql: 'select b, c, day, a from mixed order by b' })
    expect(asked.results).toEqual(results)
  })

  it('are sent in the format that a link names, in place of the one that a browser accepts', async () => {
    const headers = { Accept: 'text/html,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }
    const csv = await ann.call('/tables/t/rows?format=csv&columns=id&where=name=w', { headers })
    expect(csv.body.toString()).toBe('id\n5\n')
    expect(csv.headers['content-disposition']).toBe('attachment; filename="t.csv"')
    const lines = await ann.call('/tables/t/rows?format=ndjson&columns=id&where=name=w', { headers })
    expect(lines.body.toString()).toBe('{"id":5}\n')
    const parquet = await ann.call('/tables/t/rows?format=parquet', { headers })
    expect(parquet.body.toString('latin1', 0, 4)).toBe('PAR1')
    expect((await ann.call('/tables/t/rows?format=csv&limit=1')).json).toMatchObject({ code: 'invalid-request' })
  })

  it('require a date column for a filter', async () => {
    const caller = await shared.newCaller()
    await makeTable(caller, 't', 'a\n1\n')
    expect(await rows('?from=2014-10-08', caller)).toMatchObject({ code: 'invalid-request', field: 'column' })
  })
})

describe('table rows as text', () => {
  const csv = { headers: { Accept: 'text/csv' } }

  it('are complete CSV if the client accepts it', async () => {
    const { status, headers, body } = await ann.call('/tables/t/rows', csv)
    expect({ status, type: headers['content-type'] }).toEqual({
      status: 200,
      type: 'text/csv; charset=utf-8; header=present',
    })
    expect(headers['content-disposition']).toBe('attachment; filename="t.csv"')
    expect(body.toString()).toBe(
      'id,day,name\n1,2014-10-08,x\n2,2014-10-09,"y, ""z"""\n3,2014-10-10,\n4,2014-10-09,v\n5,2014-10-11,w\n',
    )
  })

  it('are NDJSON if the client accepts it, with the same filter', async () => {
    const accept = { headers: { Accept: 'application/x-ndjson' } }
    const { body } = await ann.call('/tables/t/rows?from=2014-10-10', accept)
    const lines = body.toString().trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { id: 3, day: '2014-10-10', name: null },
      { id: 5, day: '2014-10-11', name: 'w' },
    ])
  })

  it('are an export job', async () => {
    const { headers, body } = await ann.call('/tables/t/rows', csv)
    const job = await eventually('the job has ended', async () => {
      const found = await ann.job(String(headers['filejobs-job']))
      return found.endedAt && found
    })
    expect(job).toMatchObject({ kind: 'export', table: 't', file: null, state: 'done', bytes: body.length })
  })

  it('have only headers for HEAD', async () => {
    const { status, headers, body } = await ann.call('/tables/t/rows', { method: 'HEAD', ...csv })
    expect([status, headers['filejobs-job'], body.length]).toEqual([200, undefined, 0])
  })

  it.each(['?limit=5', '?offset=1', '?from=2014-02-30'])('are rejected for %s', async (query) => {
    expect((await ann.call(`/tables/t/rows${query}`, csv)).json).toMatchObject({ status: 400, code: 'invalid-request' })
  })

  it('can be stopped: the client’s connection breaks', async () => {
    const caller = await shared.newCaller()
    const line = 'x'.repeat(1000)
    await makeTable(
      caller,
      'large',
      `id,text\n${Array.from({ length: 20_000 }, (_, row) => `${row},${line}`).join('\n')}\n`,
    )
    const reader = await connectTo(caller.url)
    reader.socket.pause()
    reader.send(head('GET /tables/large/rows', caller.token, { Accept: 'text/csv' }))
    const { id } = await caller.findJob('kind=export&state=running', ({ bytes }) => bytes > 0)
    const { json } = await caller.post('/export/stop')
    expect(json).toMatchObject({ job: { id, state: 'stopped', table: 'large' } })
    reader.socket.resume()
    expect((await reader.ended()).error).toBe('ECONNRESET')
  })

  it('of a client that does not read do not block rows, summaries and queries of other accounts', async () => {
    const server = await startTestServer({ jobsPerAccount: 4 })
    try {
      const [silent, other] = [
        new Caller(server, await server.logIn('silent')),
        new Caller(server, await server.logIn('other')),
      ]
      const lines = Array.from({ length: 20_000 }, (_, row) => `${row},${'x'.repeat(1000)}`)
      await makeTable(silent, 'large', `id,text\n${lines.join('\n')}\n`)
      await makeTable(other, 't', 'a\n1\n')
      for (let each = 0; each < 4; each++) {
        const reader = await connectTo(server.url)
        reader.socket.pause()
        reader.send(head('GET /tables/large/rows', silent.token, { Accept: 'text/csv' }))
      }
      await eventually('all four have begun', async () => {
        const { jobs } = (await silent.call('/jobs?kind=export&state=running')).json
        return jobs.length === 4 && jobs.every(({ bytes }: { bytes: number }) => bytes > 0)
      })
      expect((await other.call('/tables/t/rows')).json.results).toEqual([{ a: 1 }])
      expect((await other.call('/tables/t/summary')).json.rows).toBe(1)
      expect((await other.post('/query', { sql: 'from t' })).json.results).toEqual([{ a: 1 }])
      expect((await other.call('/tables/t/rows', csv)).body.toString()).toBe('a\n1\n')
      expect((await silent.call('/jobs?kind=export&state=running')).json.jobs.length).toBe(4)
      await silent.post('/export/stop')
    } finally {
      await server.close()
    }
  })

  it('are limited to one export at a time', async () => {
    const caller = await shared.newCaller()
    const line = 'x'.repeat(1000)
    await makeTable(
      caller,
      'large',
      `id,text\n${Array.from({ length: 20_000 }, (_, row) => `${row},${line}`).join('\n')}\n`,
    )
    const reader = await connectTo(caller.url)
    reader.socket.pause()
    reader.send(head('GET /tables/large/rows', caller.token, { Accept: 'text/csv' }))
    const { id } = await caller.findJob('kind=export&state=running')
    const second = await caller.call('/tables/large/rows', csv)
    expect(second.json).toMatchObject({ status: 409, code: 'job-running', job: { id } })
    reader.reset()
    const left = await eventually('the first has ended', async () => {
      const job = await caller.job(id)
      return job.endedAt && job
    })
    expect(left).toMatchObject({ state: 'failed', error: { code: 'client-left' } })
  })
})

describe('a table summary', () => {
  it('contains columns, and rows over time', async () => {
    const { status, json } = await ann.call('/tables/t/summary')
    expect(status).toBe(200)
    expect(json).toEqual({
      rows: 5,
      columns: [
        { name: 'id', type: 'integer', nulls: 0, distinct: 5, min: 1, max: 5 },
        { name: 'day', type: 'date', nulls: 0, distinct: 4, min: '2014-10-08', max: '2014-10-11' },
        { name: 'name', type: 'text', nulls: 1, distinct: 4, min: 'v', max: 'y, "z"' },
      ],
      overTime: {
        column: 'day',
        unit: 'day',
        counts: [
          { from: '2014-10-08', rows: 1 },
          { from: '2014-10-09', rows: 2 },
          { from: '2014-10-10', rows: 1 },
          { from: '2014-10-11', rows: 1 },
        ],
      },
    })
  })

  it.each([
    ['week', '2014-01-01', '2015-01-01'],
    ['month', '2014-01-01', '2020-01-01'],
    ['year', '1900-01-01', '2020-01-01'],
  ])('counts by %s depending on the range of dates', async (unit, first, last) => {
    const caller = await shared.newCaller()
    await makeTable(caller, 't', `d\n${first}\n${last}\n`)
    expect((await caller.call('/tables/t/summary')).json.overTime).toMatchObject({
      column: 'd',
      unit,
      counts: { length: 2 },
    })
  })

  it('has no counts over time without a date column, and is updated with the table', async () => {
    const caller = await shared.newCaller()
    await makeTable(caller, 't', 'a\n1\n')
    expect((await caller.call('/tables/t/summary')).json).toMatchObject({ rows: 1, overTime: null })
    await makeTable(caller, 't', 'a\n2\n')
    expect((await caller.call('/tables/t/summary')).json).toMatchObject({ rows: 2, columns: [{ min: 1, max: 2 }] })
  })
})

describe('values of a megabyte', () => {
  const large = (row: number) => String.fromCharCode(97 + (row % 26)).repeat(1_500_000)
  let caller: Caller
  beforeAll(async () => {
    caller = await shared.newCaller()
    // The first rows are small, so that nothing foretells the others.
    const lines = Array.from({ length: 300 }, (_, row) => `${row},${row < 270 ? 'x' : large(row)}\n`)
    await makeTable(caller, 'large', `id,text\n${lines.join('')}`)
  })

  it('are split into pages of the maximum size', async () => {
    const seen: number[] = []
    let path: string | null = '/tables/large/rows?limit=1000'
    while (path) {
      const { json, body }: { json: { results: { id: number; text: string }[]; next: string | null }; body: Buffer } =
        await caller.call(path)
      expect(body.length).toBeLessThan(10 * 1024 ** 2)
      for (const { id, text } of json.results) {
        seen.push(id)
        expect(text === (id < 270 ? 'x' : large(id))).toBe(true)
      }
      path = json.next
    }
    expect(seen).toEqual(Array.from({ length: 300 }, (_, at) => at))
  })

  it('are complete in CSV', async () => {
    const { body } = await caller.call('/tables/large/rows', { headers: { Accept: 'text/csv' } })
    const lines = body.toString().trimEnd().split('\n')
    expect(lines.length).toBe(301)
    expect(lines[300] === `299,${large(299)}`).toBe(true)
  })
})
