import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Problem } from '../../../dist/protocol/problems.js'
import type { Job } from '../../../dist/server/jobs/job.js'
import { Jobs } from '../../../dist/server/jobs/jobs.js'
import { LocalSlots } from '../../../dist/server/jobs/local-slots.js'
import { Throttle } from '../../../dist/server/jobs/throttle.js'
import type { Account } from '../../../dist/server/stores/accounts.js'
import { openLocalFiles } from '../../../dist/server/stores/local/files.js'
import { openJobHistory } from '../../../dist/server/stores/local/job-history.js'
import { LocalSpace } from '../../../dist/server/stores/local/space.js'
import { noRemoteJobs } from '../../../dist/server/stores/remote-jobs.js'
import { BufferPool } from '../../../dist/server/transfers/buffers.js'
import { ChunkGarbage } from '../../../dist/server/transfers/chunk-garbage.js'
import { ResumableUploads } from '../../../dist/server/transfers/resumable.js'
import type { UploadChunk } from '../../../dist/server/transfers/upload-chunks.js'
import type { Creation } from '../../../dist/server/transfers/upload-creation.js'
import { eventually } from '../../helpers/eventually.js'
import { noFolders } from '../../helpers/no-folders.js'
import { noRequests } from '../../helpers/no-requests.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { TestClock } from '../../helpers/test-clock.js'

interface Limits {
  keepSlotMs?: number
  keepWantedSlotMs?: number
  keepPartialMs?: number
  keepUnusedMs?: number
  quota?: number
  clock?: TestClock
}

/** The services of resumable uploads on a folder of the running test. */
async function open({
  keepSlotMs = 60_000,
  keepWantedSlotMs = 20,
  keepPartialMs = 60_000,
  keepUnusedMs = 60_000,
  quota,
  clock = new TestClock(),
}: Limits = {}) {
  const folder = await temporaryFolder()
  const { files, partials, capacity, close } = await openLocalFiles(folder)
  const history = await openJobHistory(folder, (error) => expect.unreachable(String(error)))
  const slots = new LocalSlots({ history, lastSeq: history.lastSeq, jobsPerAccount: 1, clock })
  const jobs = new Jobs(history, { slots, clock })
  const resumable = new ResumableUploads({
    files,
    partials,
    capacity,
    jobs,
    space: new LocalSpace(
      { ...capacity, usage: (space) => files.usage(space) },
      { maxFileSize: null, quotaOf: async () => quota ?? null },
    ),
    requests: noRequests,
    memory: { pool: new BufferPool(), garbage: new ChunkGarbage(() => {}) },
    remote: noRemoteJobs,
    clock,
    idleTimeoutMs: 60_000,
    keepSlotMs,
    keepWantedSlotMs,
    keepPartialMs,
    keepUnusedMs,
    folders: noFolders,
    throttleOf: () => new Throttle(null, clock),
    checkAccess: async () => {},
    onFailure: (error) => expect.unreachable(String(error)),
  })
  onTestFinished(async () => {
    await resumable.close(new Problem('shutting-down', 'The test is over.'))
    await close()
    await history.close()
  })
  const account = { id: 1, role: 'user', username: 'ann' } as Account
  const owner = { accountId: 1, account: 'user:ann' }
  const request = () => ({
    identity: { account, sessionId: 's', revoked: new AbortController().signal },
    jobId: null,
    waitMs: 0,
    left: new AbortController().signal,
    begin: (_: Job) => {},
  })
  const create = (changes: Partial<Creation> = {}) =>
    resumable.create({
      ...request(),
      name: `file-${randomUUID()}`,
      type: 'text/plain',
      length: 10,
      metadata: '',
      digests: {},
      precondition: {},
      first: null,
      ...changes,
    })
  const append = (id: string, offset: number, body: string | Readable, changes: Partial<UploadChunk> = {}) =>
    resumable.append(id, owner, {
      ...request(),
      offset,
      body: typeof body === 'string' ? Readable.from([Buffer.from(body)]) : body,
      bodySize: typeof body === 'string' ? body.length : null,
      length: null,
      digests: {},
      lateDigests: () => ({}),
      check: { isDeclared: false, update() {}, verify() {} },
      ...changes,
    })
  const partialNames = () => readdir(join(folder, 'partial'))
  return { clock, resumable, jobs, owner, create, append, partialNames }
}

/** What comes of `work`, which takes some time of the clock. */
async function passing<T>(clock: TestClock, work: Promise<T>): Promise<T> {
  let isSettled = false
  const settled = work.finally(() => {
    isSettled = true
  })
  settled.catch(() => {})
  // No more than is needed: on a slow disk, uploads that wait for it would expire.
  for (let ms = 0; !isSettled; ms++) await clock.advance(ms < 1000 ? 1 : 0)
  return settled
}

const code = (expected: string) => expect.objectContaining({ code: expected })

describe('the slot of a resumable upload', () => {
  it('is kept for a while after the last byte', async () => {
    const { jobs, create, append } = await open({ keepSlotMs: 60_000 })
    const { id } = await create()
    await append(id, 0, '01234')
    const other = await create()
    await expect(append(other.id, 0, '0123456789')).rejects.toEqual(code('job-running'))
    expect(jobs.find(id)?.state).toBe('running')
  })

  it('is released after that, and the upload is interrupted', async () => {
    const { clock, jobs, create, append } = await open({ keepSlotMs: 150 })
    const { id } = await create()
    await append(id, 0, '01234')
    await clock.advance(149)
    expect(await jobs.holding('upload', 'user:ann')).toHaveLength(1)
    await clock.advance(1)
    await eventually('the slot is given back', async () => (await jobs.holding('upload', 'user:ann')).length === 0)
    expect(jobs.find(id)?.state).toBe('interrupted')
    const other = await create()
    await append(other.id, 0, '0')
    await expect(append(id, 5, '56789')).rejects.toEqual(code('job-running'))
    await append(other.id, 1, '123456789')
    expect((await append(id, 5, '56789')).published).toMatchObject({ size: 10 })
  })

  it('is claimed again through the queue if the client waits', async () => {
    const { clock, jobs, create, append } = await open({ keepSlotMs: 20 })
    const { id } = await create()
    await append(id, 0, '01234')
    await clock.advance(20)
    await eventually('the slot is given back', async () => (await jobs.holding('upload', 'user:ann')).length === 0)
    const other = await create()
    const body = new PassThrough()
    const held = append(other.id, 0, body)
    const waiting = append(id, 5, '56789', { waitMs: 10_000 })
    body.end('0123456789')
    expect((await held).offset).toBe(10)
    expect((await waiting).offset).toBe(10)
  })

  it.each(['before', 'after'])(
    'goes to an upload that started to wait %s the last byte, as soon as the holder is idle',
    async (when) => {
      const { clock, jobs, create, append } = await open({ keepSlotMs: 60_000, keepWantedSlotMs: 20 })
      const { id } = await create()
      const next = await create()
      const body = new PassThrough()
      const chunk = append(id, 0, body, { bodySize: 5 })
      await eventually('it runs', () => jobs.find(id)?.state === 'running')
      const wait = () => append(next.id, 0, '0123456789', { waitMs: Number.POSITIVE_INFINITY })
      const early = when === 'before' ? wait() : undefined
      body.end('01234')
      await chunk
      expect((await passing(clock, early ?? wait())).published).toMatchObject({ size: 10 })
      expect(jobs.find(id)).toMatchObject({ state: 'interrupted', bytes: 5 })
      expect((await append(id, 5, '56789')).published).toMatchObject({ size: 10 })
    },
  )

  it('is given to waiting uploads in the order of their first bytes', async () => {
    const { jobs, create, append } = await open({ keepSlotMs: 60_000 })
    const { id } = await create()
    const body = new PassThrough()
    const first = append(id, 0, body)
    await eventually('it runs', () => jobs.find(id)?.state === 'running')
    const waiting = []
    for (let index = 0; index < 40; index++) waiting.push(await create())
    const started: string[] = []
    jobs.observe((job, change) => {
      if (change === 'state' && job.state === 'running') started.push(job.id)
    })
    // Not the order in which they were created.
    const uploads = waiting
      .reverse()
      .map((upload) => append(upload.id, 0, '0123456789', { waitMs: Number.POSITIVE_INFINITY }))
    body.end('0123456789')
    await Promise.all([first, ...uploads])
    expect(started).toEqual(waiting.map((upload) => upload.id))
  })

  it('does not affect the reserved space when it goes to another upload', async () => {
    const { clock, create, append } = await open({ keepSlotMs: 60_000, keepWantedSlotMs: 20, quota: 100 })
    const { id } = await create({ length: 80 })
    const next = await create({ length: 10 })
    await append(id, 0, 'x'.repeat(40))
    await passing(clock, append(next.id, 0, '0123456789', { waitMs: 10_000 }))
    await expect(create({ length: 20 })).rejects.toEqual(code('quota-exceeded'))
    expect((await append(id, 40, 'x'.repeat(40))).published).toMatchObject({ size: 80 })
  })

  it('is not released while bytes arrive slowly', async () => {
    const { clock, jobs, create, append } = await open({ keepSlotMs: 20 })
    const { id } = await create()
    const body = new PassThrough()
    const chunk = append(id, 0, body)
    for (let byte = 0; byte < 10; byte++) {
      body.write('x')
      await eventually('it has come', () => jobs.find(id)?.bytes === byte + 1)
      await clock.advance(15)
      expect(await jobs.holding('upload', 'user:ann')).toHaveLength(1)
    }
    body.end()
    expect((await chunk).offset).toBe(10)
  })
})

describe('an abandoned resumable upload', () => {
  it('expires, and leaves nothing', async () => {
    const { clock, resumable, jobs, owner, create, append, partialNames } = await open({ keepPartialMs: 60_000 })
    const { id, expiresAt } = await create()
    expect(expiresAt?.getTime()).toBeGreaterThan(clock.now())
    await append(id, 0, '01234')
    expect(await partialNames()).toHaveLength(2)
    await clock.advance(80_000)
    await eventually('it has expired', () => jobs.find(id) === undefined)
    expect(await partialNames()).toEqual([])
    expect((await jobs.findRecord(id))?.job).toMatchObject({ state: 'failed', error: { code: 'upload-gone' } })
    await expect(resumable.look(id, owner)).rejects.toEqual(code('upload-gone'))
    await expect(append(id, 5, '56789')).rejects.toEqual(code('upload-gone'))
  })

  it('is answered as expired even before its removal', async () => {
    const { clock, resumable, jobs, owner, create, append, partialNames } = await open({ keepPartialMs: 60_000 })
    for (const ask of [
      (id: string) => resumable.look(id, owner),
      (id: string) => append(id, 5, '56789'),
      (id: string) => resumable.stop(id, owner),
    ]) {
      const { id } = await create()
      await append(id, 0, '01234')
      clock.skip(60_001)
      await expect(ask(id)).rejects.toEqual(code('upload-gone'))
      expect(await partialNames()).toEqual([])
      expect((await jobs.findRecord(id))?.job.error?.code).toBe('upload-gone')
    }
  })

  it('does not expire while its bytes arrive, or once it is published', async () => {
    const { clock, resumable, jobs, owner, create, append } = await open({ keepPartialMs: 60_000 })
    const { id } = await create()
    const body = new PassThrough()
    const appended = append(id, 0, body)
    for (let byte = 0; byte < 10; byte++) {
      body.write('x')
      await eventually('it has come', () => jobs.find(id)?.bytes === byte + 1)
      await clock.advance(40_000)
    }
    body.end()
    const { published, expiresAt } = await appended
    expect(expiresAt).toBeNull()
    await clock.advance(40_000)
    expect((await resumable.look(id, owner)).published?.entityTag).toBe(published!.entityTag)
    await clock.advance(60_000)
    await expect(resumable.look(id, owner)).rejects.toEqual(code('upload-gone'))
    expect((await jobs.findRecord(id))?.job.state).toBe('done')
  })
})

describe('a created upload without further requests', () => {
  it('expires sooner than others', async () => {
    const { clock, jobs, create, append, partialNames } = await open({
      keepPartialMs: 60_000,
      keepUnusedMs: 10_000,
    })
    const [unused, used] = [await create(), await create()]
    await append(used.id, 0, '01234')
    await clock.advance(15_000)
    await eventually('the unused one has expired', () => jobs.find(unused.id) === undefined)
    expect(await partialNames()).toEqual([`${used.id}.bin`, `${used.id}.json`])
  })

  it('is kept as long as others if its creation had bytes', async () => {
    const { clock, jobs, create, partialNames } = await open({ keepPartialMs: 60_000, keepUnusedMs: 100, quota: 100 })
    const first = {
      body: Readable.from([Buffer.from('01234')]),
      bodySize: 5,
      digests: {},
      lateDigests: () => ({}),
      check: { isDeclared: false, update() {}, verify() {} },
    }
    const { id } = await create({ first })
    await expect(create({ length: 95 })).rejects.toEqual(code('quota-exceeded'))
    const unused = await create()
    await clock.advance(200)
    await eventually('the unused one has expired', () => jobs.find(unused.id) === undefined)
    expect(await partialNames()).toEqual([`${id}.bin`, `${id}.json`])
  })

  it('is evicted to free space for another one, oldest first, as few as needed', async () => {
    const { resumable, jobs, owner, create } = await open({ quota: 100 })
    const used = await create({ length: 10 })
    await resumable.look(used.id, owner)
    const unused = [await create({ length: 20 }), await create({ length: 30 }), await create({ length: 40 })]
    await create({ length: 50 })
    expect(unused.map(({ id }) => jobs.find(id)?.state)).toEqual([undefined, undefined, 'waiting'])
    await expect(resumable.look(unused[0]!.id, owner)).rejects.toEqual(code('upload-gone'))
    await expect(create({ length: 91 })).rejects.toEqual(code('quota-exceeded'))
    expect(jobs.find(unused[2]!.id)?.state).toBe('waiting')
  })

  it('is evicted if its account has a thousand uploads; without one to evict, the next is rejected', async () => {
    const { resumable, jobs, owner, create } = await open()
    const first = await create()
    const ids = await Promise.all(Array.from({ length: 999 }, async () => (await create()).id))
    await create()
    expect(jobs.find(first.id)).toBeUndefined()
    const all = [...ids, ...jobs.unfinished().map(({ id }) => id)]
    for (const id of new Set(all)) await resumable.look(id, owner)
    await expect(create()).rejects.toEqual(code('busy'))
    await jobs.stop(ids[0]!, 'user:ann')
    await create()
  })
})

describe('the reserved space of a resumable upload', () => {
  it('is the declared length while it holds the slot, and the received bytes afterwards', async () => {
    const { clock, jobs, create, append } = await open({ keepSlotMs: 50, quota: 100 })
    const { id } = await create({ length: 90 })
    await append(id, 0, '0123456789')
    await clock.advance(50)
    await eventually('the slot is given back', async () => (await jobs.holding('upload', 'user:ann')).length === 0)
    await expect(create({ length: 91 })).rejects.toEqual(code('quota-exceeded'))
    const other = await create({ length: 90 })
    await append(other.id, 0, 'x'.repeat(90))
    await expect(append(id, 10, 'y'.repeat(80))).rejects.toEqual(code('quota-exceeded'))
    expect(jobs.find(id)).toMatchObject({ state: 'interrupted', bytes: 10 })
  })

  it('grows with an upload of deferred length, which ends at the quota', async () => {
    const { jobs, create, append, partialNames } = await open({ quota: 100 })
    const { id } = await create({ length: null })
    await append(id, 0, 'x'.repeat(60))
    await expect(append(id, 60, 'x'.repeat(60))).rejects.toEqual(code('quota-exceeded'))
    expect((await jobs.findRecord(id))?.job).toMatchObject({ state: 'failed', error: { code: 'quota-exceeded' } })
    expect(await partialNames()).toEqual([])
  })
})

describe('an empty resumable upload', () => {
  it('that is stopped before its publish ends with its creation', async () => {
    const { jobs, create, partialNames } = await open()
    const stops: Promise<unknown>[] = []
    jobs.observe((job) => {
      if (job.state === 'running' && !job.signal.aborted) stops.push(job.stop('user:ann'))
    })
    await expect(create({ length: 0 })).rejects.toEqual(code('job-stopped'))
    expect(await Promise.all(stops)).toMatchObject([{ cleanedUp: true }])
    expect(jobs.unfinished()).toEqual([])
    expect(await partialNames()).toEqual([])
  })
})

describe('a resumable upload interrupted near its end', () => {
  const size = 64 * 1024 ** 2

  it('reports its full offset only once it is published', async () => {
    const { resumable, jobs, owner, create, append } = await open()
    const { id } = await create({ length: size })
    const left = new AbortController()
    const body = new PassThrough({ highWaterMark: 2 ** 20 })
    const chunk = append(id, 0, body, { left: left.signal })
    const broken = expect(chunk).rejects.toEqual(code('client-left'))
    for (let sent = 0; sent < size; sent += 2 ** 20) {
      if (!body.write(Buffer.alloc(2 ** 20, 'a'))) await new Promise((resolve) => body.once('drain', resolve))
    }
    body.end()
    await new Promise((resolve) => body.once('end', resolve))
    left.abort(new Problem('client-left', 'The sender went.'))
    await broken
    await eventually('it is published', async () => {
      const { offset, published } = await resumable.look(id, owner)
      if (published) return offset === size
      expect(offset).toBeLessThan(size)
      // What had not reached the disk is missing, or nothing is, and it is published by itself.
      if (jobs.find(id)?.state === 'interrupted') await append(id, offset, 'a'.repeat(size - offset))
      return false
    })
  })

  it('completes if its deferred length equals the received bytes', async () => {
    const { resumable, owner, create, append } = await open()
    const { id } = await create({ length: null })
    await append(id, 0, '0123456789')
    const refused = append(id, 10, 'x', { length: 10 })
    await expect(refused).rejects.toEqual(code('body-too-large'))
    expect((await resumable.look(id, owner)).offset).toBe(10)
    expect((await append(id, 10, '', { length: 10 })).published).toMatchObject({ size: 10 })
  })
})
