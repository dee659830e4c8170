import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { finish, holdStreams, openFolderJob, partOf, untilFinishing, untilJob } from '../../helpers/folder-jobs.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { TestClock } from '../../helpers/test-clock.js'

const shared = shareServer({ shutdownGraceMs: 0 })

describe('finishing a job of many files', () => {
  it('gives the same answer each time', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    await ann.put('photos/a', 'a', partOf(id))
    const [first, second] = await Promise.all([finish(ann, id), finish(ann, id)])
    const third = await finish(ann, id)
    expect([first, second, third].map(({ status }) => status)).toEqual([200, 200, 200])
    expect([second.json, third.json]).toEqual([first.json, first.json])
  })

  it('gives the same answer after a restart of the server', async () => {
    const dataFolder = await temporaryFolder()
    const server = await startTestServer({ dataFolder })
    const ann = new Caller(server, await server.logIn('ann'))
    const id = await openFolderJob(ann)
    await ann.put('photos/a', 'a', partOf(id))
    const first = await finish(ann, id)
    await server.close()
    const next = await startTestServer({ dataFolder })
    onTestFinished(() => next.close())
    expect((await finish(new Caller(next, ann.token), id)).json).toEqual(first.json)
  })

  it('waits for its streams, and admits no others', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const streams = await holdStreams(ann, id, ['photos/a', 'photos/b'])
    const finished = finish(ann, id)
    await untilFinishing(ann, id)
    for (const stream of streams) stream.finish()
    expect((await finished).json.published).toMatchObject({ files: 2, bytes: 200 })
    expect(await ann.names()).toEqual(['photos/a', 'photos/b'])
  })

  it('is for its own account alone', async () => {
    const ann = await shared.newCaller()
    const ben = await shared.newCaller()
    const admin = await shared.admin()
    const id = await openFolderJob(ann)
    for (const other of [ben, admin]) {
      expect(await finish(other, id)).toMatchObject({ status: 404, json: { code: 'job-not-found' } })
    }
    const unchanged = await ben.post(`/jobs/${id}/unchanged`, { count: 1, bytes: 1 })
    expect(unchanged).toMatchObject({ status: 404, json: { code: 'job-not-found' } })
    expect((await finish(ann, id)).status).toBe(200)
    expect(await finish(ben, id)).toMatchObject({ status: 404, json: { code: 'job-not-found' } })
  })

  it('ends a paused job', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    await ann.post(`/jobs/${id}/pause`)
    expect(await finish(ann, id)).toMatchObject({ status: 200, json: { job: { state: 'done' } } })
  })
})

describe('a job of many files whose client vanishes', () => {
  it('takes back the bytes of its broken streams, and leaves nothing of them', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const streams = await holdStreams(ann, id, ['photos/a', 'photos/b', 'photos/c'])
    for (const { request } of streams) request.destroy()
    await eventually('all have failed', async () => (await ann.job(id)).files?.failed === 3)
    expect(await ann.job(id)).toMatchObject({ state: 'running', bytes: 0 })
    expect((await finish(ann, id)).json.published).toMatchObject({ files: 0, bytes: 0, failed: 3 })
    expect(await ann.names()).toEqual([])
  })

  it('is interrupted after half a minute without its slot, and the next stream resumes it', async () => {
    const { ann, clock } = await startAtTestClock()
    const id = await openFolderJob(ann)
    await ann.put('photos/a', 'a', partOf(id))
    await clock.advance(29_000)
    expect((await ann.job(id)).state).toBe('running')
    await clock.advance(2000)
    expect((await ann.job(id)).state).toBe('interrupted')
    expect((await ann.put('other', 'other')).status).toBe(201)
    expect((await ann.put('photos/b', 'b', partOf(id))).status).toBe(201)
    expect(await ann.job(id)).toMatchObject({ state: 'running', bytes: 2, files: { done: 2 } })
    expect((await ann.put('other', 'x')).status).toBe(409)
    expect((await finish(ann, id)).json.published.files).toBe(2)
  })

  it('is interrupted after a second where its slot is wanted, and then waits for it again', async () => {
    const { ann, clock } = await startAtTestClock()
    const id = await openFolderJob(ann)
    const waiting = ann.call('/jobs', {
      method: 'POST',
      body: { kind: 'upload', name: '' },
      headers: { Prefer: 'wait=60' },
    })
    await ann.findJob('state=waiting')
    await clock.advance(1100)
    const second = (await waiting).json.id
    expect((await ann.job(id)).state).toBe('interrupted')
    expect(await ann.put('photos/a', 'a', partOf(id))).toMatchObject({
      status: 409,
      json: { code: 'job-running', job: { id: second } },
    })
    expect((await ann.job(id)).files).toMatchObject({ failed: 0 })
    const resumed = ann.put('photos/a', 'a', partOf(id, { Prefer: 'wait=60' }))
    const both = ann.put('photos/b', 'b', partOf(id, { Prefer: 'wait=60' }))
    await finish(ann, second)
    expect((await resumed).status).toBe(201)
    expect((await both).status).toBe(201)
    await finish(ann, id)
    expect((await ann.put('other', 'x')).status).toBe(201)
  })

  it('can be finished and stopped while it is interrupted', async () => {
    const { ann, clock } = await startAtTestClock()
    for (const end of ['finish', 'stop'] as const) {
      const id = await openFolderJob(ann)
      await clock.advance(31_000)
      expect((await ann.job(id)).state).toBe('interrupted')
      expect((await ann.post(end === 'stop' ? '/upload/stop' : `/jobs/${id}/finish`)).status).toBe(200)
      expect((await ann.job(id)).state).toBe(end === 'stop' ? 'stopped' : 'done')
    }
  })

  it('expires like a resumable upload, and keeps what was published', async () => {
    const { ann, clock } = await startAtTestClock({ keepPartialMs: 60_000 })
    const id = await openFolderJob(ann)
    await ann.put('photos/a', 'a', partOf(id))
    await clock.advance(50_000)
    await ann.put('photos/b', 'b', partOf(id))
    await clock.advance(50_000)
    expect((await ann.job(id)).state).toBe('interrupted')
    await clock.advance(30_000)
    expect(await untilJob(ann, id, 'failed')).toMatchObject({ error: { code: 'job-expired' }, files: { done: 2 } })
    expect(await ann.put('photos/c', 'c', partOf(id))).toMatchObject({ status: 409, json: { code: 'not-running' } })
    expect(await ann.names()).toEqual(['photos/a', 'photos/b'])
  })
})

describe('the shutdown of a server', () => {
  it('ends a job of many files when its streams have ended, without the grace period', async () => {
    const dataFolder = await temporaryFolder()
    const server = await startTestServer({ dataFolder, shutdownGraceMs: 600_000 })
    const ann = new Caller(server, await server.logIn('ann'))
    const id = await openFolderJob(ann)
    const [stream] = await holdStreams(ann, id, ['photos/a'])
    const closed = server.close()
    stream!.finish()
    expect((await stream!.answer).status).toBe(201)
    await closed
    const next = await startTestServer({ dataFolder })
    onTestFinished(() => next.close())
    const job = await new Caller(next, ann.token).job(id)
    expect(job).toMatchObject({ state: 'failed', error: { code: 'shutting-down' }, files: { done: 1 } })
  })
})

async function startAtTestClock(changes: Parameters<typeof startTestServer>[0] = {}) {
  const clock = new TestClock()
  const server = await startTestServer({ shutdownGraceMs: 0, ...changes }, clock)
  onTestFinished(() => server.close())
  return { ann: new Caller(server, await server.logIn('ann')), clock }
}
