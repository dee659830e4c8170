import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Answer, holdUpload } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer({ shutdownGraceMs: 0 })

describe('the slot of a job', () => {
  it('is unique to an account and kind: a second upload is rejected with the running job', async () => {
    const ann = await shared.newCaller()
    const first = await holdUpload(ann, 'first')
    const refused = await ann.put('b', 'b')
    expect(refused).toMatchObject({ status: 409, json: { code: 'job-running', stop: `/jobs/${first.id}/stop` } })
    expect(refused.json.job).toMatchObject({ id: first.id, file: 'first', state: 'running' })
    expect(await ann.post(refused.json.stop)).toMatchObject({ status: 200 })
    expect((await ann.put('b', 'b')).status).toBe(201)
  })

  it('is independent of other accounts and other kinds', async () => {
    const [ann, bob] = [await shared.newCaller(), await shared.newCaller()]
    await ann.put('a', 'a')
    const first = await holdUpload(ann, 'first')
    expect((await bob.put('b', 'b')).status).toBe(201)
    expect((await ann.call('/files/a')).body.toString()).toBe('a')
    first.finish()
    await first.answer
  })

  it('is taken by one of twenty concurrent uploads, ten times in a row', async () => {
    const ann = await shared.newCaller()
    for (let round = 0; round < 10; round++) {
      const connections = await Promise.all(Array.from({ length: 20 }, () => connectTo(ann.url)))
      connections.forEach((connection, index) => {
        connection.send(head(`PUT /files/race-${index}`, ann.token, { 'Content-Length': 10 }))
      })
      const refused = () => connections.filter((connection) => /^HTTP\/1.1 409/.test(connection.text))
      await eventually('nineteen are refused', () => refused().length === 19)
      const winner = connections.find((connection) => !refused().includes(connection))
      winner?.send('0123456789')
      await winner?.says(/^HTTP\/1.1 20[01]/)
      for (const { socket } of connections) socket.destroy()
    }
  })

  it('is taken by one of twenty concurrent exports of different files', async () => {
    const ann = await shared.newCaller()
    for (let index = 0; index < 20; index++) await ann.put(`f${index}`, Buffer.alloc(1024 ** 2, index))
    const exports = await Promise.all(Array.from({ length: 20 }, () => connectTo(ann.url)))
    exports.forEach((connection, index) => {
      connection.send(head(`GET /files/f${index}`, ann.token, { 'Filejobs-Rate-Limit': 100_000 }))
    })
    await eventually('all are answered', () => exports.every((connection) => connection.text.length > 0))
    const answers = exports.map((connection) => connection.text.slice(9, 12)).sort()
    expect(answers).toEqual(['200', ...Array(19).fill('409')])
  })

  it('is released after every outcome', async () => {
    const ann = await shared.newCaller()
    await ann.put('folder/file', 'x')
    const ends: [number, () => Promise<Answer>][] = [
      [201, () => ann.put('a', 'a')],
      [422, () => ann.put('a', 'b', { 'Repr-Digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` })],
      [409, () => ann.put('folder', 'b')],
      [412, () => ann.put('a', 'b', { 'If-None-Match': '*' })],
      [400, () => ann.put('a', 'b', { 'Filejobs-Job': 'not a uuid' })],
      [200, () => ann.put('a', 'c')],
    ]
    for (const [status, upload] of ends) expect((await upload()).status).toBe(status)
    const gone = await holdUpload(ann, 'gone')
    gone.request.destroy()
    await eventually('it has failed', async () => (await ann.job(gone.id)).state === 'failed')
    expect((await ann.put('a', 'd')).status).toBe(200)
  })
})

describe('several slots for each account', () => {
  const many = shareServer({ jobsPerAccount: 3, shutdownGraceMs: 0 })

  it('allow that many running jobs, and no more', async () => {
    const ann = await many.newCaller()
    const held = await Promise.all(['a', 'b', 'c'].map((name) => holdUpload(ann, name)))
    expect(await ann.put('d', 'd')).toMatchObject({ status: 409, json: { code: 'job-running' } })
    held[1]?.finish()
    await held[1]?.answer
    expect((await ann.put('d', 'd')).status).toBe(201)
  })

  it('are all released by a stop of the kind, newest first', async () => {
    const ann = await many.newCaller()
    const held = []
    for (const name of ['a', 'b', 'c']) held.push(await holdUpload(ann, name))
    const { status, json } = await ann.post('/upload/stop')
    expect(status).toBe(200)
    expect(json.receipts.map((receipt: { job: { file: string } }) => receipt.job.file)).toEqual(['c', 'b', 'a'])
    expect(json).toMatchObject({ job: { file: 'c' } })
    for (const { answer } of held) expect((await answer).json.code).toBe('job-stopped')
    expect(await ann.post('/upload/stop')).toMatchObject({ status: 404, json: { code: 'no-running-job' } })
  })
})

describe('a job id', () => {
  it('can be chosen by the client, to stop its job before the response', async () => {
    const ann = await shared.newCaller()
    const id = randomUUID()
    const held = await holdUpload(ann, 'a', { id })
    expect((await ann.post(`/jobs/${id}/stop`)).json.job.id).toBe(id)
    expect((await held.answer).headers['filejobs-job']).toBe(id)
  })

  it('is case-insensitive', async () => {
    const ann = await shared.newCaller()
    const id = randomUUID().toUpperCase()
    const held = await holdUpload(ann, 'a', { id })
    expect((await ann.call(`/jobs/${id}`)).status).toBe(200)
    expect((await ann.post(`/jobs/${id}/stop`)).status).toBe(200)
    expect((await held.answer).status).toBe(409)
  })

  it('already used is rejected, whether running or ended, also if used by another account', async () => {
    const [ann, bob] = [await shared.newCaller(), await shared.newCaller()]
    const held = await holdUpload(ann, 'a')
    const reuse = () => bob.put('b', 'b', { 'Filejobs-Job': held.id })
    expect(await reuse()).toMatchObject({ status: 409, json: { code: 'job-id-used' } })
    held.finish()
    await held.answer
    expect(await reuse()).toMatchObject({ status: 409, json: { code: 'job-id-used' } })
    expect(await bob.names()).toEqual([])
  })

  it.each(['', 'x', '123', `${randomUUID()}0`, '../../etc/passwd'])(
    'that is not a UUID is rejected: "%s"',
    async (id) => {
      const ann = await shared.newCaller()
      const refused = await ann.put('a', 'a', { 'Filejobs-Job': id })
      expect(refused).toMatchObject({ status: 400, json: { code: 'invalid-request', field: 'Filejobs-Job' } })
      expect(await ann.names()).toEqual([])
    },
  )

  it('is included in every response about a job, including errors', async () => {
    const ann = await shared.newCaller()
    const wrong = `sha-256=:${Buffer.alloc(32).toString('base64')}:`
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()]
    const answers = [
      [first, await ann.put('a', 'a', { 'Filejobs-Job': first })],
      [second, await ann.put('b', 'b', { 'Filejobs-Job': second, 'Repr-Digest': wrong })],
      [third, await ann.call('/files/a', { headers: { 'Filejobs-Job': third } })],
      [first, await ann.call(`/jobs/${first}`)],
      [first, await ann.post(`/jobs/${first}/stop`)],
      [first, await ann.post(`/jobs/${first}/pause`)],
      [first, await ann.call(`/jobs/${first}`, { method: 'PATCH', body: { rateLimit: 1 } })],
    ] as const
    expect(answers.map(([, { status }]) => status)).toEqual([201, 422, 200, 200, 409, 409, 409])
    for (const [id, { headers }] of answers) expect(headers['filejobs-job']).toBe(id)
  })
})

describe('the list of jobs', () => {
  it('contains the account’s own jobs, newest first, page by page', async () => {
    const ann = await shared.newCaller()
    for (let index = 0; index < 7; index++) await ann.put(`f${index}`, 'x')
    const held = await holdUpload(ann, 'f7')
    const names: string[] = []
    let next = ''
    do {
      const { json } = await ann.call(`/jobs?limit=3${next && `&cursor=${next}`}`)
      names.push(...json.jobs.map((job: { file: string }) => job.file))
      next = json.next
    } while (next)
    expect(names).toEqual(['f7', 'f6', 'f5', 'f4', 'f3', 'f2', 'f1', 'f0'])
    held.request.destroy()
  })

  it('can be filtered by states and kind', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', 'a')
    await ann.call('/files/a')
    const stopped = await holdUpload(ann, 'b')
    await ann.post(`/jobs/${stopped.id}/stop`)
    const listed = async (query: string) =>
      (await ann.call(`/jobs?${query}`)).json.jobs.map(
        (job: { kind: string; state: string }) => `${job.kind} ${job.state}`,
      )
    expect(await listed('state=done')).toEqual(['export done', 'upload done'])
    expect(await listed('state=done,stopped&kind=upload')).toEqual(['upload stopped', 'upload done'])
    expect(await listed('kind=import')).toEqual([])
  })

  it.each(['state=sleeping', 'kind=nap', 'limit=0', 'limit=x', 'cursor=x', 'account=bob'])(
    'rejects %s',
    async (query) => {
      const ann = await shared.newCaller()
      expect(await ann.call(`/jobs?${query}`)).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
    },
  )

  it('excludes jobs of other accounts, which are answered as missing', async () => {
    const [ann, bob] = [await shared.newCaller(), await shared.newCaller()]
    const held = await holdUpload(ann, 'a')
    expect((await bob.call('/jobs')).json.jobs).toEqual([])
    for (const path of ['/stop', '/pause', '/resume']) {
      expect(await bob.post(`/jobs/${held.id}${path}`)).toMatchObject({ status: 404, json: { code: 'job-not-found' } })
    }
    expect((await bob.call(`/jobs/${held.id}`)).status).toBe(404)
    expect((await bob.call(`/jobs/${held.id}`, { method: 'PATCH', body: { rateLimit: 1 } })).status).toBe(404)
    expect(await bob.call('/jobs?account=all')).toMatchObject({ status: 403, json: { code: 'not-allowed' } })
    held.finish()
    expect((await held.answer).status).toBe(201)
  })

  it('includes all jobs for an admin on request, and lets an admin stop them', async () => {
    const [ann, admin] = [await shared.newCaller(), await shared.admin()]
    const held = await holdUpload(ann, 'a')
    expect((await admin.call('/jobs')).json.jobs).toEqual([])
    const all = (await admin.call('/jobs?account=all&state=running')).json.jobs
    expect(all).toContainEqual(expect.objectContaining({ id: held.id }))
    expect((await admin.post(`/jobs/${held.id}/stop`)).json).toMatchObject({ stoppedBy: 'admin:admin' })
    expect((await held.answer).json).toMatchObject({ code: 'job-stopped', stoppedBy: 'admin:admin' })
  })
})

describe('an ended job', () => {
  it('returns its receipt again, or explains why it has none', async () => {
    const ann = await shared.newCaller()
    const stopped = await holdUpload(ann, 'a')
    const receipt = (await ann.post(`/jobs/${stopped.id}/stop`)).json
    expect((await ann.post(`/jobs/${stopped.id}/stop`)).json).toEqual(receipt)

    const done = (await ann.put('b', 'b')).headers['filejobs-job']
    expect(await ann.post(`/jobs/${done}/stop`)).toMatchObject({ status: 409, json: { code: 'already-published' } })

    const left = await holdUpload(ann, 'c')
    left.request.destroy()
    await eventually('it has failed', async () => (await ann.job(left.id)).state === 'failed')
    expect(await ann.post(`/jobs/${left.id}/stop`)).toMatchObject({ status: 409, json: { code: 'not-running' } })
  })

  it('that does not exist is answered 404', async () => {
    const ann = await shared.newCaller()
    for (const id of [randomUUID(), 'x']) expect((await ann.call(`/jobs/${id}`)).status).toBe(404)
  })
})
