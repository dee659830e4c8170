import { randomBytes, randomInt } from 'node:crypto'
import { Readable } from 'node:stream'
import { type DetailedError, Upload, type UploadOptions } from 'tus-js-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Caller } from '../../helpers/calls.js'
import { openCuttingProxy } from '../../helpers/cutting-proxy.js'
import { eventually, within } from '../../helpers/eventually.js'
import { finish, openFolderJob } from '../../helpers/folder-jobs.js'
import { shareServer } from '../../helpers/shared-server.js'
import { sha256Of } from '../../helpers/tus.js'
import { isFleet } from '../../run/is-cluster.js'

const shared = shareServer({ shutdownGraceMs: 0 })

/** An upload by the most used client of tus, begun. `ended` rejects with the error that it reports. */
function upload(caller: Caller, url: string, content: Buffer | Readable, options: Partial<UploadOptions> = {}) {
  let begun!: Upload
  const ended = new Promise<void>((resolve, reject) => {
    begun = new Upload(content, {
      endpoint: `${url}/tus`,
      headers: { Authorization: `Bearer ${caller.token}` },
      metadata: { filename: 'video.bin', filetype: 'video/mp4' },
      // What nginx has received when a connection is cut may never come to a server.
      retryDelays: Array(10).fill(isFleet ? 500 : 20),
      onSuccess: () => resolve(),
      onError: reject,
      ...options,
    })
  })
  ended.catch(() => {})
  begun.start()
  onTestFinished(() => begun.abort())
  return { begun, ended }
}

/** Limited from the first byte on: it runs for longer than any test. */
const slowlyAs = ({ token }: Caller) => ({ Authorization: `Bearer ${token}`, 'Filejobs-Rate-Limit': '100000' })

const statusOf = (error: Error | DetailedError) =>
  'originalResponse' in error ? error.originalResponse?.getStatus() : undefined

/** The requests for one upload that were answered, in order. */
const requestsFor = (id: string) =>
  shared.server.logged
    .filter(({ details }) => details.job === id && details.path !== `/jobs/${id}`)
    .map(({ details }) => {
      return `${details.method} ${details.status}`
    })

describe('tus-js-client', () => {
  it('uploads over a connection that is cut 20 times at random, and the digest matches', async () => {
    const caller = await shared.newCaller()
    const content = randomBytes(32 * 1024 ** 2)
    // Together less than the content, so that all of them come.
    const cuts = Array.from({ length: 20 }, () => randomInt(64 * 1024, 1.5 * 1024 ** 2))
    const proxy = await openCuttingProxy(shared.server.url, cuts)
    await within('the upload', upload(caller, proxy.url, content).ended, 100_000)
    expect(proxy.cuts).toBe(20)
    const { headers, body } = await caller.call('/files/video.bin')
    expect(headers['content-type']).toBe('video/mp4')
    expect(sha256Of(body)).toBe(sha256Of(content))
    const { jobs } = (await caller.call('/jobs?kind=upload')).json
    expect(jobs).toHaveLength(1)
    expect(jobs[0]).toMatchObject({ state: 'done', bytes: content.length })
  })

  it('uploads a stream of unknown length in chunks', async () => {
    const caller = await shared.newCaller()
    const content = randomBytes(5 * 1024 ** 2)
    const options = { uploadLengthDeferred: true, chunkSize: 2 ** 20 }
    await upload(caller, shared.server.url, Readable.from([content]), options).ended
    expect(sha256Of((await caller.call('/files/video.bin')).body)).toBe(sha256Of(content))
  })

  it('uploads with the creation, in chunks, by POST only, and an empty file', async () => {
    const caller = await shared.newCaller()
    const content = randomBytes(3 * 1024 ** 2)
    const options = { uploadDataDuringCreation: true, chunkSize: 2 ** 20, overridePatchMethod: true }
    await upload(caller, shared.server.url, content, options).ended
    expect(sha256Of((await caller.call('/files/video.bin')).body)).toBe(sha256Of(content))
    await upload(caller, shared.server.url, Buffer.alloc(0)).ended
    expect((await caller.call('/files/video.bin')).body).toHaveLength(0)
  })

  it('detects an existing file, and sends it only once', async () => {
    const caller = await shared.newCaller()
    const content = randomBytes(2 ** 20)
    const metadata = { filename: 'video.bin', sha256: sha256Of(content) }
    await upload(caller, shared.server.url, content, { metadata }).ended
    await upload(caller, shared.server.url, content, { metadata }).ended
    const { jobs } = (await caller.call('/jobs?kind=upload')).json
    expect(jobs).toMatchObject(Array(2).fill({ state: 'done', bytes: content.length, percent: 100 }))
    const [second, first] = jobs.map(({ id }: { id: string }) => requestsFor(id))
    expect(first).toContain('PATCH 204')
    expect(second).not.toContain('PATCH 204')
  })

  it('gets an error when its upload is stopped, and sends no more', async () => {
    const caller = await shared.newCaller()
    const options = { headers: slowlyAs(caller), retryDelays: [0, 20, 20, 20] }
    const { ended } = upload(caller, shared.server.url, Buffer.alloc(8 * 1024 ** 2), options)
    const { id } = await caller.findJob()
    await eventually('bytes move', async () => (await caller.job(id)).bytes > 0)
    expect((await caller.post(`/jobs/${id}/stop`)).status).toBe(200)
    const error = await within(
      'it gives up',
      ended.then(
        () => expect.unreachable('it was stopped'),
        (e) => e,
      ),
    )
    expect(statusOf(error)).toBe(410)
    // Longer than it would wait before it tries again.
    await new Promise((resolve) => setTimeout(resolve, 300))
    await eventually('its request is over', () => requestsFor(id).includes('PATCH 410'))
    expect(requestsFor(id).filter((request) => /^(PATCH|HEAD)/.test(request))).toEqual(['PATCH 410'])
    expect((await caller.call('/jobs?kind=upload')).json.jobs).toHaveLength(1)
    expect((await caller.job(id)).state).toBe('stopped')
    expect(await caller.names()).toEqual([])
  })

  it('gives up also if its connection is cut during the stop, instead of starting over', async () => {
    const caller = await shared.newCaller()
    const proxy = await openCuttingProxy(shared.server.url)
    const options = { headers: slowlyAs(caller), retryDelays: [300, 20, 20] }
    const { ended } = upload(caller, proxy.url, Buffer.alloc(8 * 1024 ** 2), options)
    const { id } = await caller.findJob()
    await eventually('bytes move', async () => (await caller.job(id)).bytes > 0)
    proxy.cutAll()
    expect((await caller.post(`/jobs/${id}/stop`)).status).toBe(200)
    const error = await within(
      'it gives up',
      ended.then(
        () => expect.unreachable('it was stopped'),
        (e) => e,
      ),
    )
    expect(statusOf(error)).toBe(423)
    expect((await caller.call('/jobs?kind=upload')).json.jobs).toHaveLength(1)
    expect(await caller.names()).toEqual([])
  })

  it('uploads several files at a time as one job of many files, over connections that are cut', async () => {
    const caller = await shared.newCaller()
    const job = await openFolderJob(caller, 'photos/')
    const cuts = Array.from({ length: 10 }, () => randomInt(64 * 1024, 2 ** 20))
    const proxy = await openCuttingProxy(shared.server.url, cuts)
    const contents = Array.from({ length: 8 }, () => randomBytes(3 * 2 ** 20))
    const uploads = contents.map((content, index) =>
      upload(caller, proxy.url, content, partOptions(caller, job, index)),
    )
    await within('the uploads', Promise.all(uploads.map(({ ended }) => ended)), 100_000)
    expect(proxy.cuts).toBe(10)
    const { published } = (await finish(caller, job)).json
    expect(published).toMatchObject({ files: 8, bytes: 8 * 3 * 2 ** 20, created: 8, failed: 0 })
    for (const [index, content] of contents.entries()) {
      expect(sha256Of((await caller.call(`/files/photos/${index}`)).body)).toBe(sha256Of(content))
    }
    expect((await caller.call('/jobs?kind=upload')).json.jobs).toHaveLength(1)
  })

  it.each(['open', 'cut'])('gives up when its job of many files is stopped while its connection is %s', async (how) => {
    const caller = await shared.newCaller()
    const job = await openFolderJob(caller, 'photos/')
    await caller.call(`/jobs/${job}`, { method: 'PATCH', body: { rateLimit: 100_000 } })
    const proxy = await openCuttingProxy(shared.server.url)
    const options = { ...partOptions(caller, job, 0), retryDelays: [300, 20, 20] }
    const { ended } = upload(caller, proxy.url, Buffer.alloc(8 * 2 ** 20), options)
    await eventually('bytes move', async () => (await caller.job(job)).bytes > 0)
    if (how === 'cut') proxy.cutAll()
    expect((await caller.post(`/jobs/${job}/stop`)).status).toBe(200)
    const error = await within(
      'it gives up',
      ended.then(() => expect.unreachable('it was stopped')).catch((e) => e),
    )
    expect(statusOf(error)).toBe(410)
    expect((await caller.call('/jobs')).json.jobs).toHaveLength(1)
    expect(await caller.names()).toEqual([])
  })
})

function partOptions({ token }: Caller, job: string, index: number): Partial<UploadOptions> {
  return {
    headers: { Authorization: `Bearer ${token}`, 'Filejobs-Part-Of': job },
    metadata: { filename: `photos/${index}` },
  }
}
