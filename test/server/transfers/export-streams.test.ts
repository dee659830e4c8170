import { mkdir, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../dist/server/clock.js'
import { deferred } from '../../../dist/server/concurrency/deferred.js'
import type { Job } from '../../../dist/server/jobs/job.js'
import { Jobs } from '../../../dist/server/jobs/jobs.js'
import { LocalSlots } from '../../../dist/server/jobs/local-slots.js'
import { Throttle } from '../../../dist/server/jobs/throttle.js'
import type { Account } from '../../../dist/server/stores/accounts.js'
import { openLocalFiles } from '../../../dist/server/stores/local/files.js'
import { openJobHistory } from '../../../dist/server/stores/local/job-history.js'
import type { ExportRequest } from '../../../dist/server/transfers/export-request.js'
import { Exports } from '../../../dist/server/transfers/exports.js'
import { RecentStops } from '../../../dist/server/transfers/recent-stops.js'
import type { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { noFolders } from '../../helpers/no-folders.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { shareServer } from '../../helpers/shared-server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const MiB = 1024 ** 2
const size = 40 * MiB
const shared = shareServer({ shutdownGraceMs: 0 })

describe('an export job', () => {
  it('of two concurrent ranges is one job with the total of both', async () => {
    const ann = await readerOf()
    const first = await open(ann, `bytes=0-${size / 2 - 1}`)
    const second = await open(ann, `bytes=${size / 2}-`)
    expect(second.headers['filejobs-job']).toBe(first.headers['filejobs-job'])
    expect((await jobs(ann)).length).toBe(1)
    expect((await drain(first)) + (await drain(second))).toBe(size)
    const [job] = await endedJobs(ann)
    expect(job).toMatchObject({ state: 'done', bytes: size, totalBytes: size, percent: 100, error: null })
  })

  it('ends with its last stream', async () => {
    const ann = await readerOf()
    const [first, second] = [await open(ann), await open(ann)]
    await drain(first)
    expect((await jobs(ann))[0]).toMatchObject({ state: 'running' })
    await drain(second)
    expect((await endedJobs(ann))[0]).toMatchObject({ state: 'done', bytes: 2 * size, totalBytes: size })
    const third = await open(ann)
    expect(third.headers['filejobs-job']).not.toBe(first.headers['filejobs-job'])
    await drain(third)
  })

  it('of twenty concurrent ranges is one job, and none is rejected', async () => {
    const ann = await readerOf()
    for (let round = 0; round < 5; round++) {
      const readers = await Promise.all(Array.from({ length: 20 }, () => connectTo(ann.url)))
      for (const reader of readers) reader.send(head('GET /files/big', ann.token, { Range: 'bytes=0-9' }))
      for (const reader of readers) await reader.says(/^HTTP\/1.1 206 .*\r\n\r\nx{10}$/s)
      for (const { socket } of readers) socket.destroy()
    }
  })

  it('requested several times in one tick is one job', async () => {
    const { exports, request } = await openExports()
    const jobs: Job[] = []
    const requests = await Promise.all([request(), request(), request()])
    await Promise.all(requests.map((each) => exports.send({ ...each, begin: (job) => jobs.push(job) })))
    expect(new Set(jobs).size).toBe(1)
    expect(jobs[0]?.record()).toMatchObject({ state: 'done', bytes: 21 })
  })

  it('releases its slot and file if its response cannot start', async () => {
    const { exports, request, jobs } = await openExports()
    const { file, ...rest } = await request()
    const broken = new TypeError('Invalid character in header content')
    const begin = () => {
      throw broken
    }
    await expect(exports.send({ ...rest, file, begin })).rejects.toBe(broken)
    expect(jobs.unfinished()).toEqual([])
    await expect(file.read(Buffer.alloc(1), 0)).rejects.toThrow()
    await exports.send({ ...(await request()), name: 'b' })
  })

  it('is stopped at once, also while the store does not answer a read', async () => {
    const { exports, request } = await openExports()
    const { file, ...rest } = await request()
    const [started, closed] = [deferred<Job>(), deferred<never>()]
    const close = async () => {
      closed.reject(new Error('The file was closed.'))
      await file.close()
    }
    const exporting = exports.send({
      ...rest,
      file: { ...file, read: () => closed.promise, close },
      begin: started.resolve,
    })
    const job = await started.promise
    expect(await job.stop('user')).toMatchObject({ cleanedUp: true })
    await exporting
    expect(job.record()).toMatchObject({ state: 'stopped' })
  })

  it('that breaks in the middle is cut, fails, and logs the cause', async () => {
    const { exports, request, failures } = await openExports()
    const { file, ...rest } = await request()
    const broken = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
    const half = { ...file, read: () => Promise.reject(broken) }
    const seen: { job?: Job; cut: boolean } = { cut: false }
    const begin = (job: Job) => {
      seen.job = job
    }
    const cut = () => {
      seen.cut = true
    }
    await exports.send({ ...rest, file: half, begin, cut })
    expect(seen).toMatchObject({ cut: true })
    expect(seen.job?.record()).toMatchObject({ state: 'failed', error: { code: 'internal' } })
    expect(failures).toEqual([broken])
  })

  it('that starts when another one of the same file ends is never rejected', async () => {
    const ann = await readerOf()
    const read = async () => {
      for (let time = 0; time < 50; time++) {
        const { status } = await ann.call('/files/big', { headers: { Range: `bytes=${time}-${time + 9}` } })
        expect(status).toBe(206)
      }
    }
    await Promise.all([read(), read(), read(), read()])
    await endedJobs(ann)
    expect(await ann.put('other', 'x')).toMatchObject({ status: 201 })
    expect((await ann.call('/files/other')).status).toBe(200)
  })

  it('of another file is rejected meanwhile', async () => {
    const ann = await readerOf()
    await ann.put('other', 'other')
    const first = await open(ann)
    expect(await ann.call('/files/other')).toMatchObject({ status: 409, json: { code: 'job-running' } })
    await drain(first)
    await endedJobs(ann)
    expect((await ann.call('/files/other')).status).toBe(200)
  })

  it('is done if its client disconnects after some progress', async () => {
    const ann = await readerOf()
    const first = await open(ann)
    const second = await open(ann, 'bytes=100-')
    await ann.findJob('kind=export', (job) => job.bytes > MiB)
    for (const response of [first, second]) response.destroy()
    expect((await endedJobs(ann))[0]).toMatchObject({ state: 'done', error: null })
  })

  it('that is stopped is cut on all of its connections', async () => {
    const ann = await readerOf()
    const responses = [await open(ann), await open(ann, 'bytes=5-'), await open(ann, 'bytes=-30000000')]
    const ends = responses.map(
      (response) =>
        new Promise((resolve) => {
          response.on('error', (error) => resolve(String(error))).on('end', () => resolve('whole'))
          response.pause()
        }),
    )
    const { json } = await ann.post('/export/stop')
    expect(json).toMatchObject({ job: { state: 'stopped' }, receipts: [{}] })
    for (const response of responses) response.resume()
    expect(await Promise.all(ends)).toEqual(Array(3).fill('Error: aborted'))
  })

  it('that is paused suspends all of its streams, and resumes all of them', async () => {
    const ann = await readerOf()
    const [first, second] = [await open(ann), await open(ann)]
    const { id } = await ann.findJob('kind=export')
    expect((await ann.post(`/jobs/${id}/pause`)).json.state).toBe('paused')
    const bytes = [drain(first), drain(second)]
    const joined = ann.call('/files/big', { headers: { Range: 'bytes=0-0' } })
    await eventually('it stands still', async () => {
      const before = (await ann.job(id)).bytes
      await new Promise((resolve) => setTimeout(resolve, 100))
      return (await ann.job(id)).bytes === before
    })
    expect((await ann.post(`/jobs/${id}/resume`)).json.state).toBe('running')
    expect(await Promise.all(bytes)).toEqual([size, size])
    expect((await joined).body.toString()).toBe('x')
  })

  it('reads one version to its end, whatever happens to the name', async () => {
    const ann = await readerOf()
    const first = await open(ann)
    expect((await ann.put('big', Buffer.alloc(size, 'y'))).status).toBe(200)
    const second = await open(ann)
    expect((await ann.call('/files/big', { method: 'DELETE' })).status).toBe(204)
    const read = async (response: IncomingMessage) => Buffer.concat(await response.toArray())
    expect((await read(first)).equals(Buffer.alloc(size, 'x'))).toBe(true)
    expect((await read(second)).equals(Buffer.alloc(size, 'y'))).toBe(true)
  })
})

async function readerOf(): Promise<Caller> {
  const ann = await shared.newCaller()
  await ann.put('big', Buffer.alloc(size, 'x'))
  return ann
}

/** A response of which nothing is read yet. */
async function open(caller: Caller, range?: string): Promise<IncomingMessage> {
  const request = caller.open('/files/big', { headers: range ? { Range: range } : {} })
  request.on('error', () => {})
  const response = new Promise<IncomingMessage>((resolve) => request.on('response', resolve))
  request.end()
  return (await response).pause()
}

async function drain(response: IncomingMessage): Promise<number> {
  let bytes = 0
  for await (const chunk of response) bytes += chunk.length
  return bytes
}

async function jobs(caller: Caller) {
  return (await caller.call('/jobs?kind=export')).json.jobs
}

async function endedJobs(caller: Caller) {
  return eventually('all exports have ended', async () => {
    const all = await jobs(caller)
    return all.length > 0 && all.every((job: { endedAt: string | null }) => job.endedAt) && all
  })
}

/** Exports of a file `a` of seven bytes, without a server: an answer can then be refused. */
async function openExports() {
  const folder = await temporaryFolder()
  const { files, close } = await openLocalFiles(folder)
  const history = await openJobHistory(folder, () => {})
  onTestFinished(async () => {
    await close()
    await history.close()
  })
  await mkdir(join(folder, 'uploads/user/ann'), { recursive: true })
  await writeFile(join(folder, 'uploads/user/ann/a'), 'content')
  const slots = new LocalSlots({ history, lastSeq: history.lastSeq, jobsPerAccount: 1, clock: systemClock })
  const jobs = new Jobs(history, { slots, clock: systemClock })
  const failures: unknown[] = []
  const exports = new Exports({
    clock: systemClock,
    jobs,
    idleTimeoutMs: 60_000,
    folders: noFolders,
    stopped: new RecentStops({ clock: systemClock, findRecord: async () => undefined, tell() {} }),
    throttleOf: () => new Throttle(null, systemClock),
    onFailure: (error) => failures.push(error),
  })
  const account = { id: 1, role: 'user', username: 'ann' } as Account
  const request = async (): Promise<ExportRequest> => ({
    identity: { account, sessionId: 's', revoked: new AbortController().signal },
    name: 'a',
    file: (await files.open(account, 'a'))!,
    range: { start: 0, end: 7 },
    jobId: null,
    waitMs: 0,
    left: new AbortController().signal,
    unsent: () => 0,
    begin: () => {},
    response: new PassThrough().resume(),
    cut: () => {},
  })
  return { exports, jobs, request, failures }
}
