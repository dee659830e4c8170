import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { fastClock } from '../../helpers/fast-clock.js'
import { openFolderJob, partOf } from '../../helpers/folder-jobs.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer()
/** What a page asks for: the names are those in the folder. */
const wanted = { folder: 'in/', files: ['a', 'deep/'], archive: 'tar', prepare: true }

describe('an archive that is prepared', () => {
  it('is fetched by its address, with the names in its folder, as the job that was prepared', async () => {
    const ann = await owner()
    const { status, json, headers } = await ann.post('/export', wanted)
    expect({ status, json, headers }).toMatchObject({
      status: 201,
      json: { kind: 'export', file: 'in/', state: 'running', bytes: 0 },
      headers: { location: `/jobs/${json.id}/archive`, 'filejobs-job': json.id },
    })
    const head = await ann.call(`/jobs/${json.id}/archive`, { method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, headers: { 'content-type': 'application/x-tar' } })
    const answer = await ann.call(headers.location as string)
    expect(answer).toMatchObject({
      status: 200,
      headers: {
        'content-disposition': `attachment; filename="in.tar"; filename*=UTF-8''in.tar`,
        'content-security-policy': "sandbox; default-src 'none'",
        'cache-control': 'no-store',
        'filejobs-job': json.id,
      },
    })
    const names = [...`${answer.body}`.matchAll(/([\w/]+)\0{20}/g)].map(([, name]) => name)
    expect(names).toEqual(expect.arrayContaining(['a', 'deep/b']))
    expect(names).not.toContain('c')
    expect(await ann.job(json.id)).toMatchObject({ state: 'done', files: { total: 2, done: 2, failed: 0 } })
    expect((await ann.call('/jobs?kind=export')).json.jobs).toHaveLength(1)
  })

  it('is fetched once, and only by the session that has prepared it', async () => {
    const ann = await owner()
    const { username } = (await ann.call('/auth/me')).json
    const again = new Caller(shared.server, await shared.server.logIn(username))
    const other = await shared.newCaller()
    const { id } = (await ann.post('/export', wanted)).json
    for (const caller of [again, other, await shared.admin()]) {
      expect(await caller.call(`/jobs/${id}/archive`)).toMatchObject({ status: 404, json: { code: 'job-not-found' } })
    }
    expect((await ann.call(`/jobs/${id}/archive`)).status).toBe(200)
    expect((await ann.call(`/jobs/${id}/archive`)).status).toBe(404)
  })

  it('has the slot of its account, and waits for it', async () => {
    const ann = await owner()
    const { id } = (await ann.post('/export', wanted)).json
    expect(await ann.post('/export', wanted)).toMatchObject({ status: 409, json: { code: 'job-running' } })
    const waiting = ann.call('/export', { method: 'POST', body: wanted, headers: { Prefer: 'wait=60' } })
    await ann.findJob('kind=export&state=waiting')
    await ann.call(`/jobs/${id}/archive`)
    const { status, json } = await waiting
    expect(status).toBe(201)
    expect((await ann.call(`/jobs/${json.id}/archive`)).status).toBe(200)
  })

  it('can be stopped before it is fetched, and ends with its session', async () => {
    const ann = await owner()
    const { id } = (await ann.post('/export', wanted)).json
    expect(await ann.post(`/jobs/${id}/stop`)).toMatchObject({ status: 200, json: { job: { state: 'stopped' } } })
    expect((await ann.call(`/jobs/${id}/archive`)).status).toBe(404)
    const { username } = (await ann.call('/auth/me')).json
    const session = new Caller(shared.server, await shared.server.logIn(username))
    const second = (await session.post('/export', wanted)).json
    await session.post('/auth/logout')
    await eventually('it is stopped', async () => (await ann.job(second.id)).state === 'stopped')
  })

  it('fails if nothing fetches it for 30 s', async () => {
    const server = await startTestServer({}, fastClock(10))
    onTestFinished(() => server.close())
    const ann = new Caller(server, await server.logIn('ann'))
    await ann.put('in/a', 'x')
    const { id } = (await ann.post('/export', { ...wanted, files: ['a'] })).json
    await eventually('it has failed', async () => (await ann.job(id)).state === 'failed')
    expect((await ann.job(id)).error).toMatchObject({ code: 'stalled' })
    expect((await ann.call(`/jobs/${id}/archive`)).status).toBe(404)
  })

  it('has as many names as a folder has, and answers at once', async () => {
    const ann = await owner()
    const files = ['a', ...Array.from({ length: 50_000 }, (_, index) => `missing ${index}/`)]
    const { status, json } = await ann.post('/export', { ...wanted, files })
    expect({ status, json }).toMatchObject({ status: 404, json: { code: 'file-not-found', name: 'in/missing 0/' } })
    const tooMany = files.map((name) => name.repeat(8))
    expect(await ann.post('/export', { ...wanted, files: tooMany })).toMatchObject({
      status: 413,
      json: { code: 'body-too-large' },
    })
  })

  it.each([
    [{ ...wanted, files: ['missing'] }, 404, 'file-not-found'],
    [{ ...wanted, folder: 'in' }, 400, 'invalid-request'],
    [{ ...wanted, folder: '../' }, 400, 'invalid-request'],
    [{ ...wanted, files: ['../c'] }, 400, 'invalid-request'],
    [{ ...wanted, folder: 'ops:depot/' }, 400, 'invalid-request'],
  ])('POST /export of %j is answered %i %s', async (body, status, code) => {
    const ann = await owner()
    expect(await ann.post('/export', body)).toMatchObject({ status, json: { code } })
    expect((await ann.call('/jobs?kind=export&state=running')).json.jobs).toEqual([])
  })

  it('is no part of a job of many files', async () => {
    const ann = await owner()
    const id = await openFolderJob(ann, 'in/', { kind: 'export' })
    const answer = await ann.call('/export', { method: 'POST', body: wanted, headers: partOf(id) })
    expect(answer).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
  })

  it('of published files is for clients', async () => {
    const depot = await shared.newCaller('ops')
    const { username } = (await depot.call('/auth/me')).json
    await depot.put('in/a', 'published')
    await depot.put('in/b', 'published')
    const client = await shared.newCaller('client')
    const body = { folder: 'in/', files: ['a'], prepare: true }
    const { status, json, headers } = await client.post(`/published/${username}`, body)
    expect({ status, json }).toMatchObject({ status: 201, json: { file: `ops:${username}/in/` } })
    const archive = await client.call(headers.location as string)
    expect([archive.status, `${archive.body}`.match(/published/g)?.length]).toEqual([200, 1])
    expect((await client.post(`/published/${username}`, { files: ['in/'] })).status).toBe(200)
    expect(await depot.post(`/published/${username}`, body)).toMatchObject({ status: 403 })
    expect(await client.post('/published/nobody', body)).toMatchObject({ status: 404 })
  })

  async function owner(): Promise<Caller> {
    const ann = await shared.newCaller()
    for (const name of ['in/a', 'in/c', 'in/deep/b']) await ann.put(name, `content of ${name}`)
    return ann
  }
})
