import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { holdUpload } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { expectContinue, finish, holdStreams, openFolderJob, partOf, unknownId } from '../../helpers/folder-jobs.js'
import { onOneServer } from '../../helpers/only-local.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer({ shutdownGraceMs: 0 })

describe('a job of many files', () => {
  it('is one job with one slot, however many uploads are its streams', async () => {
    const ann = await shared.newCaller()
    const opened = await ann.post('/jobs', { kind: 'upload', name: 'photos/', files: 3, totalBytes: 300 })
    const { id } = opened.json
    expect(opened).toMatchObject({
      status: 201,
      headers: { location: `/jobs/${id}`, 'filejobs-job': id },
      json: { kind: 'upload', file: 'photos/', state: 'running', totalBytes: 300, files: { total: 3, done: 0 } },
    })
    const streams = await holdStreams(ann, id, ['photos/a', 'photos/b', 'photos/c/d'])
    expect((await ann.call('/jobs')).json.jobs).toHaveLength(1)
    expect(await ann.put('other', 'x')).toMatchObject({ status: 409, json: { code: 'job-running', job: { id } } })
    for (const stream of streams) stream.finish()
    const answers = await Promise.all(streams.map((stream) => stream.answer))
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
    expect(answers[0]!.headers['filejobs-job']).toBe(id)

    const finished = await finish(ann, id)
    const published = { files: 3, bytes: 300, created: 3, replaced: 0, unchanged: 0, removed: 0, failed: 0 }
    expect(finished).toMatchObject({ status: 200, json: { published } })
    expect(finished.json.job).toMatchObject({
      state: 'done',
      bytes: 300,
      percent: 100,
      files: { total: 3, done: 3, unchanged: 0, failed: 0, failures: [] },
    })
    expect(await ann.names()).toEqual(['photos/a', 'photos/b', 'photos/c/d'])
    expect((await ann.put('other', 'x')).status).toBe(201)
  })

  it('counts files that are new, replaced, unchanged and failed', async () => {
    const ann = await shared.newCaller()
    const digest = { 'Repr-Digest': (await ann.put('photos/same', 'same')).headers['repr-digest'] }
    await ann.put('photos/old', 'old')
    const id = await openFolderJob(ann)
    expect((await ann.put('photos/new', 'new', partOf(id))).status).toBe(201)
    expect((await ann.put('photos/old', 'newer', partOf(id))).status).toBe(200)
    expect((await ann.put('photos/same', 'same', partOf(id, digest))).status).toBe(200)
    const wrong = await ann.put('photos/wrong', 'wrong', partOf(id, digest))
    expect(wrong).toMatchObject({ status: 422, json: { code: 'digest-mismatch', job: { id } } })
    const refused = await ann.put('photos/old', 'newest', partOf(id, { 'If-None-Match': '*' }))
    expect(refused.status).toBe(412)
    const job = await ann.job(id)
    expect(job).toMatchObject({
      state: 'running',
      bytes: 12,
      files: { total: null, done: 3, unchanged: 1, failed: 2 },
    })
    expect(job.files!.failures.map(({ name, code }) => [name, code])).toEqual([
      ['photos/wrong', 'digest-mismatch'],
      ['photos/old', 'precondition-failed'],
    ])
    expect((await finish(ann, id)).json.published).toEqual({
      ...{ files: 2, bytes: 8, created: 1, replaced: 1, unchanged: 1, removed: 0, failed: 2 },
    })
  })

  it('no longer counts a file as failed that arrives at the next attempt', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const [stream] = await holdStreams(ann, id, ['photos/a'])
    stream!.request.destroy()
    await eventually('the file has failed', async () => (await ann.job(id)).files?.failed === 1)
    expect(await ann.job(id)).toMatchObject({ state: 'running', bytes: 0 })
    expect((await ann.put('photos/a', 'a', partOf(id))).status).toBe(201)
    const files = await eventually('it is done', async () => {
      const { files } = await ann.job(id)
      return files?.done === 1 && files
    })
    expect(files).toMatchObject({ done: 1, failed: 0, failures: [] })
    await finish(ann, id)
  })

  it('counts what its client found unchanged, or could not send', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann, '', { files: 10, totalBytes: 1000 })
    await ann.post(`/jobs/${id}/unchanged`, { count: 5, bytes: 500 })
    const named = await ann.post(`/jobs/${id}/unchanged`, { files: [{ name: 'a', size: 100 }] })
    expect(named).toMatchObject({ status: 200, json: { id, bytes: 600, percent: 60 } })
    const error = { code: 'not-accessible', message: 'Permission denied.' }
    const failed = await ann.post(`/jobs/${id}/failed`, { files: [{ name: 'b', ...error }] })
    expect(failed.json.files).toEqual({
      total: 10,
      done: 6,
      unchanged: 6,
      failed: 1,
      failures: [{ name: 'b', ...error }],
    })
    const corrected = await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { files: 7, totalBytes: 700 } })
    expect(corrected.json).toMatchObject({ totalBytes: 700, files: { total: 7 } })
    await finish(ann, id)
  })

  it('waits for the slot with Prefer: wait, and is refused without', async () => {
    const ann = await shared.newCaller()
    const held = await holdUpload(ann, 'first')
    const open = { kind: 'upload', name: '' }
    expect(await ann.post('/jobs', open)).toMatchObject({ status: 409, json: { code: 'job-running' } })
    expect((await ann.call('/jobs')).json.jobs).toHaveLength(1)
    const waiting = ann.call('/jobs', { method: 'POST', body: open, headers: { Prefer: 'wait=60' } })
    await ann.findJob('state=waiting')
    held.finish()
    const { status, json } = await waiting
    expect({ status, state: json.state }).toEqual({ status: 201, state: 'running' })
    await finish(ann, json.id)
  })

  it('takes its id from Filejobs-Job, which its streams may not set', async () => {
    const ann = await shared.newCaller()
    const id = randomUUID()
    const open = { method: 'POST', body: { kind: 'upload', name: '' }, headers: { 'Filejobs-Job': id } }
    expect((await ann.call('/jobs', open)).json.id).toBe(id)
    const both = await ann.put('a', 'a', partOf(id, { 'Filejobs-Job': randomUUID() }))
    expect(both).toMatchObject({ status: 400, json: { code: 'invalid-request', field: 'Filejobs-Job' } })
    await finish(ann, id)
    expect(await ann.call('/jobs', open)).toMatchObject({ status: 409, json: { code: 'job-id-used' } })
  })

  it.each([
    [{ kind: 'upload', name: 'photos' }, 400, 'name'],
    [{ kind: 'upload', name: '../' }, 400, 'name'],
    [{ kind: 'upload', name: 'ops:depot/' }, 400, 'name'],
    [{ kind: 'import', name: '' }, 400, 'kind'],
    [{ kind: 'export', name: '', publish: 'together' }, 400, 'publish'],
    [{ kind: 'upload', name: '', replace: true }, 400, 'replace'],
  ])('cannot be opened by %j', async (open, status, field) => {
    const ann = await shared.newCaller()
    expect(await ann.post('/jobs', open)).toMatchObject({ status, json: { code: 'invalid-request', field } })
    expect((await ann.call('/jobs')).json.jobs).toEqual([])
  })

  it('cannot be opened by a client for uploads, which it may not make', async () => {
    const client = await shared.newCaller('client')
    expect(await client.post('/jobs', { kind: 'upload', name: '' })).toMatchObject({
      status: 403,
      json: { code: 'not-allowed' },
    })
    const { status, json } = await client.post('/jobs', { kind: 'export', name: 'ops:depot/' })
    expect(status).toBe(201)
    await finish(client, json.id)
  })
})

onOneServer('nginx sends 100 Continue before any server has the request', () => {
  describe('an upload with Filejobs-Part-Of is refused before its body', () => {
    it.each([
      ['an unknown id', async () => unknownId, 404, 'job-not-found'],
      ['no id at all', async () => 'photos', 404, 'job-not-found'],
      ['the id of another account', async () => openFolderJob(await shared.newCaller()), 404, 'job-not-found'],
    ])('for %s', async (_what, getId, status, code) => {
      const ann = await shared.newCaller()
      const answer = await expectContinue(ann, '/files/photos/a', partOf(await getId()))
      expect(answer).toMatchObject({ status, json: { code }, continued: false })
      expect((await ann.call('/jobs')).json.jobs).toEqual([])
    })

    it('for a job that is done', async () => {
      const ann = await shared.newCaller()
      const id = await openFolderJob(ann)
      await finish(ann, id)
      const answer = await expectContinue(ann, '/files/photos/a', partOf(id))
      expect(answer).toMatchObject({ status: 409, json: { code: 'not-running', job: { id } }, continued: false })
    })

    it('for a job that was stopped', async () => {
      const ann = await shared.newCaller()
      const id = await openFolderJob(ann)
      const { json } = await ann.post(`/jobs/${id}/stop`)
      const answer = await expectContinue(ann, '/files/photos/a', partOf(id))
      const { stoppedBy } = json
      expect(answer).toMatchObject({ status: 409, json: { code: 'job-stopped', stoppedBy }, continued: false })
    })

    it('for a job of one file', async () => {
      const ann = await shared.newCaller()
      const held = await holdUpload(ann, 'first')
      const answer = await expectContinue(ann, '/files/a', partOf(held.id))
      expect(answer).toMatchObject({ status: 409, json: { code: 'not-joinable' }, continued: false })
      held.finish()
      expect((await held.answer).status).toBe(201)
    })

    it('for a job of exports', async () => {
      const ann = await shared.newCaller()
      const id = await openFolderJob(ann, 'photos/', { kind: 'export' })
      const answer = await expectContinue(ann, '/files/photos/a', partOf(id))
      expect(answer).toMatchObject({ status: 409, json: { code: 'not-joinable' }, continued: false })
      await finish(ann, id)
    })

    it('for a name outside of its prefix', async () => {
      const ann = await shared.newCaller()
      const id = await openFolderJob(ann)
      for (const name of ['a', 'photos', 'photosets/a']) {
        const answer = await expectContinue(ann, `/files/${name}`, partOf(id))
        expect(answer, name).toMatchObject({ status: 409, json: { code: 'not-joinable' }, continued: false })
      }
      await finish(ann, id)
    })
  })
})
