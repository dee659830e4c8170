import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { chunksOf, errorOf, largeBytes, libraryOf, patternOf } from '../helpers/library.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const shared = shareServer()
const content = patternOf(largeBytes)
const rateLimit = 500_000

describe('a failure on this side', () => {
  const failure = new Error('the tape is torn')
  const fail = () => {
    throw failure
  }

  it('of the source of an upload ends its job, and the next one has the slot', async () => {
    const ann = await shared.newCaller()
    async function* torn() {
      yield* chunksOf(content)
      fail()
    }
    const { signal } = new AbortController()
    expect(await errorOf(libraryOf(ann).upload(torn(), { name: 'a', signal }))).toBe(failure)
    await ann.findJob('state=stopped')
    await libraryOf(ann).upload(content, { name: 'b' })
    expect(await ann.names()).toEqual(['b'])
  })

  it('of a listener of a sync ends its job', async () => {
    const ann = await shared.newCaller()
    const folder = await temporaryFolder()
    writeFileSync(join(folder, 'a'), 'a')
    expect(await errorOf(libraryOf(ann).sync(folder, 'copy', { onProgress: fail }))).toBe(failure)
    await ann.findJob('state=stopped')
  })
})

describe('an aborted signal', () => {
  it.each([
    { what: 'an upload of a Blob', input: () => new Blob([content]) },
    { what: 'an upload of a stream', input: () => chunksOf(content) },
    { what: 'a small upload', input: () => new Blob([content.subarray(0, 900_000)]) },
  ])('stops $what on the server, and its error has the receipt', async ({ input }) => {
    const ann = await shared.newCaller()
    const leave = new AbortController()
    const error = errorOf(libraryOf(ann).upload(input(), { name: 'a', rateLimit, signal: leave.signal }))
    const { id } = await ann.findJob('state=running', (job) => job.bytes > 0)
    leave.abort(new Error('enough'))
    expect(await error).toMatchObject({
      code: 'aborted',
      cause: { message: 'enough' },
      receipt: { cleanedUp: true, job: { id, state: 'stopped' } },
    })
    expect((await ann.job(id)).state).toBe('stopped')
    expect(await ann.names()).toEqual([])
  })

  it('stops an export, whose stream then fails with the receipt', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', content)
    const leave = new AbortController()
    const { stream, jobId } = await libraryOf(ann).export('a', { rateLimit, signal: leave.signal })
    const reader = stream.getReader()
    await reader.read()
    leave.abort()
    const drained = async () => {
      while (!(await reader.read()).done);
    }
    expect(await errorOf(drained())).toMatchObject({ code: 'aborted', receipt: { job: { id: jobId } } })
  })

  it('stops an export to a path, and leaves nothing there', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', content)
    const folder = await temporaryFolder()
    const leave = new AbortController()
    const options = { to: join(folder, 'a'), rateLimit, signal: leave.signal }
    const error = errorOf(libraryOf(ann).export('a', options))
    await ann.findJob('state=running', (job) => job.bytes > 0)
    leave.abort()
    expect(await error).toMatchObject({ code: 'aborted', receipt: { cleanedUp: true } })
    expect(readdirSync(folder)).toEqual([])
  })

  it('stops the job of a folder', async () => {
    const ann = await shared.newCaller()
    const folder = await temporaryFolder()
    for (const name of ['a', 'b']) writeFileSync(join(folder, name), content)
    const leave = new AbortController()
    const error = errorOf(libraryOf(ann).sync(folder, 'in', { rateLimit, signal: leave.signal }))
    const { id } = await ann.findJob('state=running', (job) => job.bytes > 0)
    leave.abort()
    expect(await error).toMatchObject({ code: 'aborted', receipt: { job: { id, files: { total: 2 } } } })
  })

  it('before the start sends nothing', async () => {
    const ann = await shared.newCaller()
    const error = await errorOf(libraryOf(ann).upload(new Uint8Array(1), { name: 'a', signal: AbortSignal.abort() }))
    expect(error).toMatchObject({ code: 'aborted', receipt: null })
    expect((await ann.call('/jobs')).json.jobs).toEqual([])
  })

  it('ends the transfer also if the server is gone', async () => {
    const ann = await shared.newCaller()
    const proxy = await openCuttingProxy(ann.url)
    const leave = new AbortController()
    const options = { name: 'a', rateLimit, signal: leave.signal, retries: 1000 }
    const error = errorOf(libraryOf(ann, proxy.url).upload(new Blob([content]), options))
    await ann.findJob('state=running', (job) => job.bytes > 0)
    proxy.goDown()
    leave.abort()
    expect(await error).toMatchObject({ code: 'aborted', receipt: null })
  })
})

describe('a stop by someone else', () => {
  it('ends an upload with job-stopped and the receipt', async () => {
    const ann = await shared.newCaller()
    const error = errorOf(libraryOf(ann).upload(new Blob([content]), { name: 'a', rateLimit }))
    const job = await ann.findJob('state=running', ({ bytes }) => bytes > 0)
    const receipt = await libraryOf(ann).stop(job)
    expect(receipt).toMatchObject({ cleanedUp: true, published: null })
    expect(await error).toMatchObject({ code: 'job-stopped', receipt: { stoppedAt: receipt.stoppedAt } })
  })

  it('ends an export with job-stopped rather than a broken connection', async () => {
    const ann = await shared.newCaller()
    await ann.put('a', content)
    const exported = await libraryOf(ann).export('a', { rateLimit })
    const reader = exported.stream.getReader()
    await reader.read()
    await libraryOf(ann).stop(exported.jobId)
    const drained = async () => {
      while (!(await reader.read()).done);
    }
    expect(await errorOf(drained())).toMatchObject({ code: 'job-stopped', receipt: { job: { id: exported.jobId } } })
  })

  it('is too late for a job that is done, and finds no job that is none', async () => {
    const ann = await shared.newCaller()
    const library = libraryOf(ann)
    let id = ''
    await library.upload(new Uint8Array(1), { name: 'a', onProgress: ({ jobId }) => (id = jobId) })
    expect(await errorOf(library.stop(id))).toMatchObject({ code: 'already-published', status: 409 })
    const unknown = '0b6fd5a1-4f1e-4c6e-9b5e-3f7f0c1c2d3e'
    expect(await errorOf(library.stop(unknown))).toMatchObject({ code: 'job-not-found', status: 404 })
  })
})
