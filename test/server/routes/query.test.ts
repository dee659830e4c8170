import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { answerOf, Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { makeTable } from '../../helpers/tables.js'

const shared = shareServer()
const endless = 'with recursive t as (select 1 union all select * from t) select count(*) from t'
let ann: Caller

beforeAll(async () => {
  ann = await shared.newCaller()
  await makeTable(ann, 'sales', 'id,name\n1,x\n2,y\n3,x\n')
})

/** Starts a query that runs until it is stopped, and waits until it runs. */
async function beginQuery(caller: Caller) {
  const id = randomUUID()
  const request = caller.open('/query', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Filejobs-Job': id },
  })
  const answer = answerOf(request)
  answer.catch(() => {})
  request.end(JSON.stringify({ sql: endless }))
  await eventually('the query runs', async () => (await caller.job(id)).state === 'running')
  return { id, request, answer }
}

describe('a query', () => {
  it('returns columns and rows', async () => {
    const { status, json } = await ann.post('/query', {
      sql: 'select name, count(*) n from sales group by all order by n desc',
    })
    expect(status).toBe(200)
    expect(json).toEqual({
      columns: [
        { name: 'name', type: 'text' },
        { name: 'n', type: 'integer' },
      ],
      results: [
        { name: 'x', n: 2 },
        { name: 'y', n: 1 },
      ],
      truncated: false,
    })
  })

  it('returns texts as they are stored, with a leading U+FEFF, and so does a summary', async () => {
    await makeTable(ann, 'marks', 'text\n"\ufeff"\n\ufeffz\n')
    const sql = "select text, [text] as list, {'k': text} as struct from marks order by text"
    const { json } = await ann.post('/query', { sql })
    const row = (text: string) => ({ text, list: [text], struct: { k: text } })
    expect(json.results).toEqual([row('\ufeff'), row('\ufeffz')])
    const { columns } = (await ann.call('/tables/marks/summary')).json
    expect(columns).toMatchObject([{ min: '\ufeff', max: '\ufeffz' }])
  })

  it('returns as many rows as requested', async () => {
    const { json } = await ann.post('/query', { sql: 'select id from sales order by id', limit: 2 })
    expect(json).toMatchObject({ results: [{ id: 1 }, { id: 2 }], truncated: true })
    const most = await ann.post('/query', { sql: 'select range from range(2000)', limit: 1_000_000_000 })
    expect([most.json.results.length, most.json.truncated]).toEqual([1000, true])
  })

  it('is a job', async () => {
    const { headers } = await ann.post('/query', { sql: 'from sales' })
    expect(await ann.job(String(headers['filejobs-job']))).toMatchObject({ kind: 'query', state: 'done', rows: 3 })
  })

  it.each([
    ['malformed SQL', { sql: 'selct 1' }, 422, 'malformed-query'],
    ['a statement other than a query', { sql: 'drop table sales' }, 422, 'malformed-query'],
    ['a missing table', { sql: 'from missing' }, 422, 'malformed-query'],
    ['a missing text', {}, 400, 'invalid-request'],
    ['an empty text', { sql: '' }, 400, 'invalid-request'],
    ['a limit of -1', { sql: 'select 1', limit: -1 }, 400, 'invalid-request'],
  ])('is rejected for %s', async (_, body, status, code) => {
    const answer = await ann.post('/query', body)
    expect({ status: answer.status, code: answer.json.code }).toEqual({ status, code })
    expect(answer.headers['filejobs-job'] !== undefined).toBe(status === 422)
  })

  it('reads the tables of its own account only', async () => {
    const bob = await shared.newCaller()
    expect((await bob.post('/query', { sql: 'from sales' })).json).toMatchObject({ code: 'malformed-query' })
  })

  it('is forbidden for clients', async () => {
    const client = await shared.newCaller('client')
    expect((await client.post('/query', { sql: 'select 1' })).json).toMatchObject({ status: 403, code: 'not-allowed' })
  })

  it('ends when it is stopped', async () => {
    const caller = await shared.newCaller()
    const { id, answer } = await beginQuery(caller)
    const { status, json } = await caller.post(`/jobs/${id}/stop`)
    expect({ status, message: json.message }).toEqual({
      status: 200,
      message: 'Stopped the query: its process has ended.',
    })
    expect((await answer).json).toMatchObject({ status: 409, code: 'job-stopped', job: { id, state: 'stopped' } })
  })

  it('ends when its client disconnects', async () => {
    const caller = await shared.newCaller()
    const { id, request } = await beginQuery(caller)
    request.destroy()
    const job = await eventually('the query has ended', async () => {
      const found = await caller.job(id)
      return found.endedAt && found
    })
    expect(job).toMatchObject({ state: 'failed', error: { code: 'client-left' } })
  })

  it('ends when its session is revoked', async () => {
    const caller = await shared.newCaller()
    const { id, answer } = await beginQuery(caller)
    await caller.post('/auth/logout')
    expect((await answer).json).toMatchObject({ status: 409, code: 'job-stopped' })
    expect(await (await shared.admin()).job(id)).toMatchObject({ state: 'stopped' })
  })

  it('runs beside one other query of the account, and no more', async () => {
    const caller = await shared.newCaller()
    const [first, second] = [await beginQuery(caller), await beginQuery(caller)]
    const third = await caller.post('/query', { sql: 'select 1' })
    expect(third.json).toMatchObject({ status: 409, code: 'job-running' })
    await caller.post(`/jobs/${first.id}/stop`)
    expect((await caller.post('/query', { sql: 'select 1 x' })).json).toMatchObject({ results: [{ x: 1 }] })
    await caller.post(`/jobs/${second.id}/stop`)
  })

  it('gets a slot, whatever another account runs', async () => {
    const [bob, carl] = [await shared.newCaller(), await shared.newCaller()]
    const running = [await beginQuery(bob), await beginQuery(bob)]
    expect((await carl.post('/query', { sql: 'select 1 x' })).json).toMatchObject({ results: [{ x: 1 }] })
    for (const { id } of running) expect((await bob.job(id)).state).toBe('running')
    for (const { id } of running) await bob.post(`/jobs/${id}/stop`)
  })

  it('waits while three others run on the server, and can be stopped while it waits', async () => {
    const [bob, dora, carl] = [await shared.newCaller(), await shared.newCaller(), await shared.newCaller()]
    const [first, second, third] = [await beginQuery(bob), await beginQuery(bob), await beginQuery(dora)]
    const stopped = carl.post('/query', { sql: 'select 1 x' })
    const { id } = await carl.findJob('kind=query&state=waiting')
    expect(await carl.job(id)).toMatchObject({ state: 'waiting', startedAt: null })
    await carl.post(`/jobs/${id}/stop`)
    expect((await stopped).json).toMatchObject({ status: 409, code: 'job-stopped' })
    const waiting = carl.post('/query', { sql: 'select 1 x' })
    await carl.findJob('kind=query&state=waiting')
    await bob.post(`/jobs/${first.id}/stop`)
    expect((await waiting).json).toMatchObject({ results: [{ x: 1 }] })
    await bob.post(`/jobs/${second.id}/stop`)
    await dora.post(`/jobs/${third.id}/stop`)
  })

  it('is rejected if the server disables queries', async () => {
    const server = await startTestServer({ queryAllowed: false })
    try {
      const caller = new Caller(server, await server.logIn('ann'))
      expect((await caller.post('/query', { sql: 'select 1' })).json).toMatchObject({
        status: 403,
        code: 'not-allowed',
      })
    } finally {
      await server.close()
    }
  })
})
