import { describe, expect, it } from 'vitest'
import { answerOf } from '../../helpers/calls.js'
import { eventually, within } from '../../helpers/eventually.js'
import { finish, holdStreams, openFolderJob, partOf, untilFinishing, untilJob } from '../../helpers/folder-jobs.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'

const shared = shareServer({ shutdownGraceMs: 0 })
const eight = Array.from({ length: 8 }, (_, index) => `photos/${index}`)

describe('the stop of a job of many files', () => {
  it.each(['running', 'paused'] as const)(
    'that is %s ends all of its streams and keeps what was published',
    async (state) => {
      const ann = await shared.newCaller()
      const id = await openFolderJob(ann)
      await ann.put('photos/whole', 'whole', partOf(id))
      const streams = await holdStreams(ann, id, eight)
      if (state === 'paused') await ann.post(`/jobs/${id}/pause`)
      const receipt = await ann.post(`/jobs/${id}/stop`)
      const left = await partialNames(shared.server.dataFolder)

      expect(receipt).toMatchObject({
        status: 200,
        json: {
          message: 'Stopped the upload of photos/: 1 file (5 B) stays published, 8 B of others are gone.',
          bytesDiscarded: 8,
          published: { files: 1, bytes: 5 },
          cleanedUp: true,
          job: { id, state: 'stopped', bytes: 13, files: { done: 1, failed: 0 } },
        },
      })
      expect(left.filter((name) => name.startsWith(id))).toEqual([])
      for (const { answer } of streams) {
        expect(await within('the answer', answer)).toMatchObject({
          status: 409,
          json: { code: 'job-stopped', stoppedBy: receipt.json.stoppedBy, job: { id } },
        })
      }
      expect(await ann.names()).toEqual(['photos/whole'])
      expect((await ann.post(`/jobs/${id}/stop`)).json).toEqual(receipt.json)
      expect((await ann.put('next', 'next')).status).toBe(201)
    },
  )

  it('between two streams is one of /upload/stop, too', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const { status, json } = await ann.post('/upload/stop')
    expect({ status, id: json.job.id, state: json.job.state }).toEqual({ status: 200, id, state: 'stopped' })
    expect(json.message).toBe('Stopped the upload of photos/: what had arrived is gone, nothing was published.')
    expect(await finish(ann, id)).toMatchObject({ status: 409, json: { code: 'job-stopped' } })
  })

  it('while it waits for its streams to finish is reported to the request that finishes it', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const [stream] = await holdStreams(ann, id, ['photos/a'])
    const finished = finish(ann, id)
    await untilFinishing(ann, id)
    expect((await ann.post(`/jobs/${id}/stop`)).status).toBe(200)
    expect(await finished).toMatchObject({ status: 409, json: { code: 'job-stopped' } })
    expect((await stream!.answer).status).toBe(409)
    expect(await ann.names()).toEqual([])
  })

  it('comes too late once it is done', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    await finish(ann, id)
    expect(await ann.post(`/jobs/${id}/stop`)).toMatchObject({ status: 409, json: { code: 'already-published' } })
  })

  it('by a logout ends it, because its session is gone', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const token = (
      await ann.post('/auth/login', { username: (await ann.call('/auth/me')).json.username, password: 'correct horse' })
    ).json.token
    await ann.post('/auth/logout')
    const again = { headers: { Authorization: `Bearer ${token}` } }
    await eventually('it is stopped', async () => (await ann.call(`/jobs/${id}`, again)).json.state === 'stopped')
  })
})

describe('a pause or a limit of a job of many files', () => {
  it('acts on all of its streams', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    const streams = await holdStreams(ann, id, eight)
    expect((await ann.post(`/jobs/${id}/pause`)).json.state).toBe('paused')
    for (const stream of streams) stream.finish()
    const next = ann.put('photos/next', 'next', partOf(id))
    await eventually('all are held', async () => (await ann.job(id)).state === 'paused')
    expect(await ann.job(id)).toMatchObject({ bytes: 8, files: { done: 0 } })
    expect((await ann.post(`/jobs/${id}/resume`)).json.state).toBe('running')
    const answers = await Promise.all([...streams.map(({ answer }) => answer), next])
    expect(answers.map(({ status }) => status)).toEqual(Array(9).fill(201))
    expect((await finish(ann, id)).json.published).toMatchObject({ files: 9, bytes: 804 })
  })

  it('shares one rate between them', async () => {
    const ann = await shared.newCaller()
    const id = await openFolderJob(ann)
    await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: 1 } })
    const requests = eight.map((name) => {
      const request = ann.open(`/files/${name}`, { method: 'PUT', headers: partOf(id, { 'Content-Length': 1000 }) })
      const answer = answerOf(request)
      request.end(Buffer.alloc(1000))
      return answer
    })
    await eventually('a byte passes', async () => (await ann.job(id)).bytes > 0)
    expect((await ann.job(id)).bytes).toBeLessThan(100)
    await ann.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: null } })
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(Array(8).fill(201))
    await finish(ann, id)
    expect(await untilJob(ann, id, 'done')).toMatchObject({ bytes: 8000 })
  })
})
