import { execFile } from 'node:child_process'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { teams, writeSales } from '../../helpers/csv.js'
import { holdNextImport, type ImportProcess } from '../../helpers/engines.js'
import { eventually } from '../../helpers/eventually.js'
import { onlyLocal } from '../../helpers/only-local.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames, storedTables } from '../../helpers/stored-state.js'
import { makeTable, requestImport } from '../../helpers/tables.js'
import { removeFolder } from '../../helpers/temporary-folder.js'

const shared = shareServer()
const run = promisify(execFile)

/** Files of sales by their rows: made once, since each takes a while. */
const salesFiles = new Map<number, Promise<string>>()
afterAll(async () => {
  for (const path of salesFiles.values()) await removeFolder(dirname(await path))
})

async function makeSales(rows: number): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'filejobs-test-')), 'sales.csv')
  await writeSales(path, rows)
  return path
}

/** Gives an account a file of sales, and returns where the same one is. */
async function putSales(caller: Caller, rows: number): Promise<string> {
  const made = salesFiles.get(rows) ?? makeSales(rows)
  salesFiles.set(rows, made)
  const path = await made
  await caller.put('sales.csv', await readFile(path))
  return path
}

/** So many that an import is still reading when its progress has been seen. */
const manyRows = 300_000
const fewRows = 1000

/** Begins an import, whose process is suspended before it has read anything. */
async function beginImport(caller: Caller): Promise<{ id: string } & ImportProcess> {
  await putSales(caller, fewRows)
  const held = holdNextImport()
  const { json } = await caller.post('/import', { filename: 'sales.csv' })
  return { id: json.id, ...(await held) }
}

/** Starts an import, whose process is suspended after it has read some bytes. Retries if it ends before that. */
async function beginLongImport(caller: Caller): Promise<{ id: string } & ImportProcess> {
  await putSales(caller, manyRows)
  for (;;) {
    const held = holdNextImport({ whenItReads: true })
    const { json } = await caller.post('/import', { filename: 'sales.csv' })
    const process = await held
    if ((await caller.job(json.id)).state === 'running') return { id: json.id, ...process }
    await caller.call('/tables/sales', { method: 'DELETE' })
  }
}

/** Takes every place for imports that the server has. */
async function fillPlaces(): Promise<{ other: Caller; goOn: () => void }> {
  const [other, another] = [await shared.newCaller(), await shared.newCaller()]
  const first = await beginImport(other)
  const second = await beginImport(another)
  onTestFinished(async () => {
    second.goOn()
    await another.post('/import/stop')
  })
  return { other, goOn: first.goOn }
}

async function tableNames(caller: Caller): Promise<string[]> {
  return (await caller.call('/tables')).json.tables.map(({ name }: { name: string }) => name)
}

function partials(): Promise<string[]> {
  return partialNames(shared.server.dataFolder)
}

describe('an import of several files, or of the same one again', () => {
  async function withFiles() {
    const caller = await shared.newCaller()
    await caller.put('a.csv', 'a\n1\n')
    await caller.put('b.csv', 'a\n2\n3\n')
    return caller
  }

  it('is one job, which tells what came of each file', async () => {
    const caller = await withFiles()
    const { status, json } = await requestImport(caller, { filenames: ['b.csv', 'a.csv'], table: 't' })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      file: 'b.csv',
      rows: 3,
      bytes: 10,
      totalBytes: 10,
      import: { file: 'b.csv', rows: 2 },
    })
    expect(json.imports.map(({ file }: { file: string }) => file)).toEqual(['b.csv', 'a.csv'])
    const [first, second] = json.imports
    expect((await caller.call('/tables/t')).json.imports).toEqual([second, first])
  })

  it('takes the types of the first file for the second', async () => {
    const caller = await withFiles()
    await caller.put('text.csv', 'a\nx\n')
    const { json } = await requestImport(caller, { filenames: ['text.csv', 'a.csv'], table: 't' })
    expect(json.imports[1].columns).toEqual([{ name: 'a', type: 'text' }])
    const other = await requestImport(caller, { filenames: ['a.csv', 'text.csv'], table: 'u' })
    expect(other.json).toMatchObject({ status: 422, code: 'malformed-csv' })
    expect((await caller.call('/tables/u')).status).toBe(404)
    expect(await partialNames(shared.server.dataFolder)).toEqual([])
  })

  it.each([
    [{}, 400, 'invalid-request'],
    [{ filename: 'a.csv', filenames: ['b.csv'] }, 400, 'invalid-request'],
    [{ filenames: [] }, 400, 'invalid-request'],
    [{ filenames: ['a.csv', 'a.csv'], table: 't' }, 400, 'invalid-request'],
    [{ filenames: ['a.csv', 'b.csv'] }, 400, 'invalid-request'],
    [{ filenames: ['a.csv', 'missing.csv'], table: 't' }, 404, 'file-not-found'],
  ])('is refused for %j', async (body, status, code) => {
    expect((await requestImport(await withFiles(), body)).json).toMatchObject({ status, code })
  })

  it('is refused with `once`, also if the bytes have another name', async () => {
    const caller = await withFiles()
    const { json } = await requestImport(caller, { filename: 'a.csv', table: 't', once: true })
    await caller.put('copy.csv', 'a\n1\n')
    const refused = await requestImport(caller, { filename: 'copy.csv', table: 't', once: true })
    const details = { name: 'copy.csv', table: 't', import: json.import.id }
    expect(refused.json).toMatchObject({ status: 409, code: 'already-imported', ...details })
    const both = await requestImport(caller, { filenames: ['copy.csv', 'a.csv'], table: 'u', once: true })
    expect(both.json).toMatchObject({ status: 409, code: 'already-imported', name: 'a.csv', import: null })
    expect((await caller.call('/tables/u')).status).toBe(404)
    const other = await requestImport(caller, { filename: 'copy.csv', table: 't', once: true, replace: true })
    expect(other).toMatchObject({ status: 200, json: { import: { notes: [] } } })
  })
})

describe('an import', () => {
  it('preserves every one of 100,000 teams', async () => {
    const caller = await shared.newCaller()
    const content = teams(100_000)
    const { rows } = await makeTable(caller, 'teams', content)
    expect(rows).toBe(100_000)
    const { body } = await caller.call('/tables/teams/rows', { headers: { Accept: 'text/csv' } })
    expect(body.toString() === content).toBe(true)
  })

  it('gives the same counts and sums of 100,000 sales as awk', async () => {
    const caller = await shared.newCaller()
    const path = await putSales(caller, 100_000)
    expect((await requestImport(caller, { filename: 'sales.csv' })).json.import).toMatchObject({
      rows: 100_000,
      dateColumn: 'Order Date',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      skipped: { count: 0, first: [] },
    })
    // From the right, because countries have commas in them.
    const program =
      'NR > 1 { n[$1]++; u[$1] += $(NF-5); p[$1] += $NF } END { for (r in n) printf "%s,%d,%d,%.2f\\n", r, n[r], u[r], p[r] }'
    const { stdout } = await run('awk', ['-F,', program, path], { env: { LC_ALL: 'C', PATH: process.env.PATH } })
    const sql = `select Region, count(*) n, sum("Units Sold") u, printf('%.2f', sum("Total Profit")) p from sales group by all`
    const { json } = await caller.post('/query', { sql })
    const ours = json.results.map((row: Record<string, unknown>) => Object.values(row).join(','))
    expect(ours.sort()).toEqual(stdout.trimEnd().split('\n').sort())
  })

  onlyLocal('a bucket has no files that are put there by hand', () => {
    it('has no digest of a file that was put there by hand', async () => {
      const caller = await shared.newCaller()
      await caller.put('b.csv', 'x\n')
      const { account } = (await caller.call('/auth/me')).json
      const folder = join(shared.server.dataFolder, 'uploads', account.replace(':', '/'))
      await writeFile(join(folder, 'a.csv'), 'x\n1\n')
      const { json } = await requestImport(caller, { filename: 'a.csv' })
      expect(json.import).toMatchObject({ rows: 1, sha256: null })
    })
  })

  it('is a job, answered 202 at once, with its rows available at the end', async () => {
    const caller = await shared.newCaller()
    await caller.put('a.csv', 'x,y\n1,2\n3,4\n')
    const { status, headers, json } = await caller.post('/import', { filename: 'a.csv' })
    expect(status).toBe(202)
    expect(headers.location).toBe(`/jobs/${json.id}`)
    expect(json).toMatchObject({ kind: 'import', file: 'a.csv', table: 'a', totalBytes: 12, import: null })
    const done = await eventually('the import is done', async () => {
      const job = await caller.job(json.id)
      return job.state === 'done' && job
    })
    expect(done).toMatchObject({ rows: 2, bytes: 12, percent: 100, error: null })
  })

  it('is answered at its end if the request prefers to wait', async () => {
    const caller = await shared.newCaller()
    await caller.put('a.csv', 'x,y\n1,2\n')
    const { status, json } = await requestImport(caller, { filename: 'a.csv', table: 'other' })
    expect(status).toBe(200)
    expect(json).toMatchObject({ state: 'done', table: 'other', rows: 1, import: { file: 'a.csv', rows: 1 } })
    expect(await partials()).toEqual([])
  })

  it.each([
    ['[a]*.csv', 'a'],
    ['x.csv.gz', 'x'],
    ['2024 Sales é.csv', '_2024_sales_e'],
    ["it's; drop table x--.csv", 'it_s_drop_table_x'],
    ['folder/deep.csv', 'deep'],
  ])('reads a file called %s unchanged, into %s', async (filename, table) => {
    const caller = await shared.newCaller()
    await caller.put('b.csv', 'wrong\n0\n')
    await caller.put(filename.split('/').map(encodeURIComponent).join('/'), 'right\n1\n')
    const { json } = await requestImport(caller, { filename })
    expect(json).toMatchObject({ state: 'done', table, rows: 1 })
    const { results } = (await caller.call(`/tables/${table}/rows`)).json
    expect(results).toEqual([{ right: 1 }])
  })

  it('imports the version of the file at its start, even if it is replaced', async () => {
    const caller = await shared.newCaller()
    const { id, goOn } = await beginImport(caller)
    await caller.put('sales.csv', 'a\n1\n')
    goOn()
    const done = await eventually('the import is done', async () => (await caller.job(id)).state === 'done')
    expect(done).toBe(true)
    expect((await caller.job(id)).rows).toBe(fewRows)
  })

  it('uses the types of earlier imports, so that a file that differs is rejected', async () => {
    const caller = await shared.newCaller()
    await makeTable(caller, 't', 'a,b\n1,x\n')
    await caller.put('t.csv', 'a,b\nx,1\n')
    const { json } = await requestImport(caller, { filename: 't.csv' })
    expect(json).toMatchObject({ code: 'malformed-csv', line: 2, column: 'a', reason: '"x" is not an integer' })
    const changed = await requestImport(caller, { filename: 't.csv', types: { a: 'text' } })
    expect(changed.json.import.columns).toEqual([
      { name: 'a', type: 'text' },
      { name: 'b', type: 'text' },
    ])
  })

  it('reports the line, the column and the reason of malformed content, and publishes nothing', async () => {
    const caller = await shared.newCaller()
    await caller.put('bad.csv', 'a,b\n1,2\n3\n')
    const waited = await requestImport(caller, { filename: 'bad.csv' })
    expect(waited.status).toBe(422)
    const problem = { code: 'malformed-csv', line: 3, column: null, reason: '1 field instead of 2' }
    expect(waited.json).toMatchObject(problem)
    expect(waited.headers['filejobs-job']).toMatch(/^[0-9a-f-]{36}$/)
    const { json } = await caller.post('/import', { filename: 'bad.csv' })
    const failed = await eventually('the import fails', async () => {
      const job = await caller.job(json.id)
      return job.state === 'failed' && job
    })
    expect(failed.error).toMatchObject({ ...problem, status: 422 })
    expect(await tableNames(caller)).toEqual([])
    expect(await partials()).toEqual([])
  })

  it('reads the dates of each column as requested for it, and of the others as detected', async () => {
    const caller = await shared.newCaller()
    const dateFormats = { a: 'day-first', at: '%d.%m.%Y' }
    await makeTable(caller, 't', 'a,b,at\n03/04/2026,03/04/2026,01.02.2026 10:30\n,12/31/2026,\n', { dateFormats })
    const { columns, results } = (await caller.call('/tables/t/rows')).json
    expect(columns.map(({ type }: { type: string }) => type)).toEqual(['date', 'date', 'timestamp'])
    expect(results[0]).toEqual({ a: '2026-04-03', b: '2026-03-04', at: '2026-02-01T10:30:00' })
  })

  it('reads numbers with leading zeros on request, also where values are written otherwise', async () => {
    const caller = await shared.newCaller()
    const request = { types: { a: 'integer', b: 'decimal(6,2)' }, decimal: ',' } as const
    await makeTable(caller, 't', 'a;b;c\n007;01,5;1,5\n-012;002;2\n', request)
    expect((await caller.call('/tables/t/rows')).json.results).toEqual([
      { a: 7, b: '1.50', c: 1.5 },
      { a: -12, b: '2.00', c: 2 },
    ])
  })

  it('reads dates without separators that begin with a zero', async () => {
    const caller = await shared.newCaller()
    await makeTable(caller, 't', 'a,b\n03042026,1\n', { dateFormats: { a: '%d%m%Y' } })
    expect((await caller.call('/tables/t/rows')).json.results).toEqual([{ a: '2026-04-03', b: 1 }])
  })

  it('refuses a value that is no date in the format requested for its column', async () => {
    const caller = await shared.newCaller()
    await caller.put('d.csv', 'a,b\n03/04/2026,1\n04/31/2026,2\n')
    const { json } = await requestImport(caller, { filename: 'd.csv', dateFormats: { a: 'day-first' } })
    expect(json).toMatchObject({ code: 'malformed-csv', line: 3, column: 'a' })
  })

  it('skips invalid lines on request', async () => {
    const caller = await shared.newCaller()
    await caller.put('bad.csv', 'a,b\n1,2\n3\n5,6\n')
    const { json } = await requestImport(caller, { filename: 'bad.csv', skipBadLines: true })
    expect(json.import).toMatchObject({
      rows: 2,
      skipped: { count: 1, first: [{ line: 3, column: null, reason: '1 field instead of 2' }] },
    })
  })

  it.each([
    ['a file that is not there', { filename: 'missing.csv' }, 404, 'file-not-found'],
    ["another account's file", { filename: '../account-1/teams.csv' }, 400, 'invalid-request'],
    ['no name', {}, 400, 'invalid-request'],
    ['a table in capitals', { filename: 'a.csv', table: 'Sales' }, 400, 'invalid-request'],
    ['a table with SQL in it', { filename: 'a.csv', table: 'x"; drop table y; --' }, 400, 'invalid-request'],
    ['a type that there is not', { filename: 'a.csv', types: { x: 'blob' } }, 400, 'invalid-request'],
    ['a type for a missing column', { filename: 'a.csv', types: { z: 'text' } }, 400, 'invalid-request'],
    ['a format that there is not', { filename: 'a.csv', dateFormat: '%H' }, 400, 'invalid-request'],
    [
      'a format of one column that there is not',
      { filename: 'a.csv', dateFormats: { x: '%H' } },
      400,
      'invalid-request',
    ],
    ['a format for a missing column', { filename: 'a.csv', dateFormats: { z: 'iso' } }, 400, 'invalid-request'],
    ['a date column that there is not', { filename: 'a.csv', dateColumn: 'z' }, 400, 'invalid-request'],
    ['a name that gives no table', { filename: '—.csv' }, 400, 'invalid-request'],
  ])('rejects %s', async (_, request, status, code) => {
    const caller = await shared.newCaller()
    await caller.put('a.csv', 'x\n1\n')
    await caller.put(encodeURIComponent('—.csv'), 'x\n1\n')
    const answer = await requestImport(caller, request as never)
    expect({ status: answer.status, code: answer.json.code }).toEqual({ status, code })
    expect(await tableNames(caller)).toEqual([])
  })

  it('is forbidden for clients', async () => {
    const caller = await shared.newCaller('client')
    expect((await requestImport(caller, { filename: 'a.csv' })).json).toMatchObject({
      status: 403,
      code: 'not-allowed',
    })
  })

  it('runs once for each account, and waits on request', async () => {
    const caller = await shared.newCaller()
    const { id: first, goOn } = await beginImport(caller)
    await caller.put('a.csv', 'x\n1\n')
    const refused = await caller.post('/import', { filename: 'a.csv' })
    expect(refused.json).toMatchObject({
      status: 409,
      code: 'job-running',
      job: { id: first },
      stop: `/jobs/${first}/stop`,
    })
    const waiting = requestImport(caller, { filename: 'a.csv' })
    await caller.findJob('kind=import&state=waiting')
    goOn()
    expect((await waiting).json).toMatchObject({ state: 'done', table: 'a' })
    expect((await caller.job(first)).state).toBe('done')
  })

  it('starts while that of another account runs', async () => {
    const other = await shared.newCaller()
    const { id, goOn } = await beginImport(other)
    const caller = await shared.newCaller()
    expect((await makeTable(caller, 'a', 'x\n1\n')).rows).toBe(1)
    expect((await other.job(id)).state).toBe('running')
    goOn()
    expect((await other.post('/import/stop')).status).toBe(200)
  })

  it('fails when it exceeds its time limit, and leaves nothing', async () => {
    const server = await startTestServer({ importTimeoutMs: 1 })
    try {
      const caller = new Caller(server, await server.logIn('ann'))
      await caller.put('a.csv', 'x\n1\n')
      const { json } = await requestImport(caller, { filename: 'a.csv' })
      expect(json).toMatchObject({ status: 422, code: 'import-too-long', job: { state: 'failed' } })
      expect(json.message).toMatch(/--import-timeout/)
      expect(await partialNames(server.dataFolder)).toEqual([])
      expect((await caller.call('/tables')).json.tables).toEqual([])
    } finally {
      await server.close()
    }
  })

  it('waits while those of two other accounts run, and starts after one', async () => {
    const { other, goOn } = await fillPlaces()
    const caller = await shared.newCaller()
    await caller.put('a.csv', 'x\n1\n')
    const { status, json } = await caller.post('/import', { filename: 'a.csv' })
    expect({ status, ...json }).toMatchObject({ status: 202, state: 'waiting', startedAt: null, bytes: 0 })
    expect(await caller.findJob('kind=import&state=waiting')).toMatchObject({ id: json.id })
    goOn()
    const done = await eventually('it is done', async () => {
      const job = await caller.job(json.id)
      return job.state === 'done' && job
    })
    expect(done).toMatchObject({ rows: 1, startedAt: expect.any(String) })
    expect((await other.call('/jobs?kind=import')).json.jobs).toMatchObject([{ state: 'done' }])
  })

  it('continues when the client that waits for it disconnects', async () => {
    const caller = await shared.newCaller()
    await putSales(caller, 100_000)
    const request = caller.open('/import', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Prefer: 'wait=60' },
    })
    request.on('error', () => {})
    request.end(JSON.stringify({ filename: 'sales.csv' }))
    const { id } = await caller.findJob('kind=import')
    request.destroy()
    await new Promise((resolve) => request.once('close', resolve))
    await eventually('the import is done', async () => (await caller.job(id)).state === 'done')
  })
})

describe('a stop of an import', () => {
  it('is answered once all its data is removed', async () => {
    const caller = await shared.newCaller()
    const { id } = await beginLongImport(caller)
    const { status, json } = await caller.post('/import/stop')
    expect(status).toBe(200)
    expect(json).toMatchObject({
      message: 'Stopped the import of sales.csv: no row was published.',
      job: { id, state: 'stopped', rows: null },
      cleanedUp: true,
      receipts: [{ job: { id } }],
    })
    expect(await partials()).toEqual([])
    expect(await tableNames(caller)).toEqual([])
    expect((await caller.post(`/jobs/${id}/stop`)).json.job).toEqual(json.job)
    expect((await caller.post('/import/stop')).json).toMatchObject({ status: 404, code: 'no-running-job' })
    await caller.put('sales.csv', 'a\n1\n')
    const again = await requestImport(caller, { filename: 'sales.csv' })
    expect(again.json).toMatchObject({ state: 'done', rows: 1 })
  })

  it('is reported to the request that waits for the import', async () => {
    const caller = await shared.newCaller()
    await putSales(caller, fewRows)
    const held = holdNextImport()
    const waiting = requestImport(caller, { filename: 'sales.csv' })
    await held
    const { id } = await caller.findJob('kind=import')
    await caller.post(`/jobs/${id}/stop`)
    expect((await waiting).json).toMatchObject({ status: 409, code: 'job-stopped', job: { id, state: 'stopped' } })
  })

  it('is too late once the rows are published', async () => {
    const caller = await shared.newCaller()
    await caller.put('a.csv', 'x\n1\n')
    const { id } = (await requestImport(caller, { filename: 'a.csv' })).json
    expect((await caller.post(`/jobs/${id}/stop`)).json).toMatchObject({ status: 409, code: 'already-published' })
  })

  it('succeeds while the import waits for those of other accounts', async () => {
    const { other } = await fillPlaces()
    const caller = await shared.newCaller()
    await caller.put('a.csv', 'x\n1\n')
    const { json } = await caller.post('/import', { filename: 'a.csv' })
    const stopped = await caller.post('/import/stop')
    expect(stopped.json).toMatchObject({ job: { id: json.id, state: 'stopped', startedAt: null }, cleanedUp: true })
    expect(await tableNames(caller)).toEqual([])
    expect((await other.post('/import/stop')).status).toBe(200)
  })

  it('is the only control: an import cannot be paused (409 not-pausable)', async () => {
    const caller = await shared.newCaller()
    const { id } = await beginImport(caller)
    expect((await caller.post(`/jobs/${id}/pause`)).json).toMatchObject({ status: 409, code: 'not-pausable' })
    expect((await caller.post('/import/stop')).status).toBe(200)
  })

  it('is caused by disabling its account', async () => {
    const caller = await shared.newCaller()
    const { id } = await beginImport(caller)
    const admin = await shared.admin()
    const { account } = (await caller.call('/auth/me')).json
    await admin.call(`/accounts/${account}`, { method: 'PATCH', body: { disabled: true } })
    expect(await admin.job(id)).toMatchObject({ state: 'stopped', stoppedBy: 'admin:admin' })
    expect(await partials()).toEqual([])
  })
})

it('removing an account removes its tables', async () => {
  const caller = await shared.newCaller()
  await makeTable(caller, 't', 'a\n1\n')
  const { account } = (await caller.call('/auth/me')).json
  expect(await storedTables(shared.server.dataFolder, account)).toHaveLength(1)
  await (await shared.admin()).call(`/accounts/${account}`, { method: 'DELETE' })
  expect(await storedTables(shared.server.dataFolder, account)).toEqual([])
})
