import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Problem } from '../../../dist/protocol/problems.js'
import type { Job } from '../../../dist/server/jobs/job.js'
import { Jobs } from '../../../dist/server/jobs/jobs.js'
import { Throttle } from '../../../dist/server/jobs/throttle.js'
import type { Account } from '../../../dist/server/stores/accounts.js'
import { openFileStore } from '../../../dist/server/stores/local/files.js'
import { openJobHistory } from '../../../dist/server/stores/local/job-history.js'
import { BufferPool } from '../../../dist/server/transfers/buffers.js'
import { ChunkMemory } from '../../../dist/server/transfers/chunk-memory.js'
import type { Piece } from '../../../dist/server/transfers/pieces.js'
import { type Creation, ResumableUploads } from '../../../dist/server/transfers/resumable.js'
import { SpaceReservations } from '../../../dist/server/transfers/space.js'
import { eventually } from '../../helpers/eventually.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

interface Limits {
  keepSlotMs?: number
  keepPartialMs?: number
  quota?: number
}

/** The services of resumable uploads on a folder of the running test. */
async function open({ keepSlotMs = 60_000, keepPartialMs = 60_000, quota }: Limits = {}) {
  const folder = await temporaryFolder()
  const files = await openFileStore(folder)
  const history = await openJobHistory(folder, (error) => expect.unreachable(String(error)))
  const jobs = new Jobs(history, { jobsPerAccount: 1 })
  const resumable = new ResumableUploads({
    files,
    jobs,
    space: new SpaceReservations(files, { maxFileSize: null, quota: quota ?? null }),
    memory: { pool: new BufferPool(), chunks: new ChunkMemory() },
    idleTimeoutMs: 60_000,
    keepSlotMs,
    keepPartialMs,
    throttleOf: () => new Throttle(null),
    checkAccess: async () => {},
    onFailure: (error) => expect.unreachable(String(error)),
  })
  onTestFinished(async () => {
    await resumable.close(new Problem('shutting-down', 'The test is over.'))
    await files.close()
    await history.close()
  })
  const account = { id: 1, role: 'user', username: 'ann' } as Account
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
      sha256: null,
      precondition: {},
      first: null,
      ...changes,
    })
  const append = (id: string, offset: number, body: string | Readable, changes: Partial<Piece> = {}) =>
    resumable.append(id, account, {
      ...request(),
      offset,
      body: typeof body === 'string' ? Readable.from([Buffer.from(body)]) : body,
      bodySize: typeof body === 'string' ? body.length : null,
      length: null,
      sha256: null,
      checksum: null,
      ...changes,
    })
  const partials = () => readdir(join(folder, 'partial'))
  return { resumable, jobs, account, create, append, partials }
}

const code = (expected: string) => expect.objectContaining({ code: expected })

describe('the slot of an upload', () => {
  it('is kept for a while after the last byte', async () => {
    const { jobs, create, append } = await open({ keepSlotMs: 60_000 })
    const { id } = await create()
    await append(id, 0, '01234')
    await expect(create()).rejects.toEqual(code('job-running'))
    expect(jobs.find(id)?.state).toBe('running')
  })

  it('is given back after it, and the upload is interrupted', async () => {
    const { jobs, create, append } = await open({ keepSlotMs: 150 })
    const { id } = await create()
    await append(id, 0, '01234')
    await eventually('the slot is given back', () => jobs.holding('upload', 'user:ann').length === 0)
    expect(jobs.find(id)?.state).toBe('interrupted')
    const other = await create()
    await expect(append(id, 5, '56789')).rejects.toEqual(code('job-running'))
    await append(other.id, 0, '0123456789')
    expect((await append(id, 5, '56789')).published).toMatchObject({ size: 10 })
  })

  it('is claimed again in turn where the sender waits', async () => {
    const { jobs, create, append } = await open({ keepSlotMs: 20 })
    const { id } = await create()
    await eventually('the slot is given back', () => jobs.holding('upload', 'user:ann').length === 0)
    const other = await create()
    const body = new PassThrough()
    const held = append(other.id, 0, body)
    const waiting = append(id, 0, '0123456789', { waitMs: 10_000 })
    body.end('0123456789')
    expect((await held).offset).toBe(10)
    expect((await waiting).offset).toBe(10)
  })

  it('is not given back while bytes come slowly', async () => {
    const { jobs, create, append } = await open({ keepSlotMs: 20 })
    const { id } = await create()
    const body = new PassThrough()
    const piece = append(id, 0, body)
    for (let byte = 0; byte < 10; byte++) {
      body.write('x')
      await eventually('it has come', () => jobs.find(id)?.bytes === byte + 1)
      await new Promise((resolve) => setTimeout(resolve, 15))
      expect(jobs.holding('upload', 'user:ann')).toHaveLength(1)
    }
    body.end()
    expect((await piece).offset).toBe(10)
  })
})

describe('an upload that nobody comes back for', () => {
  it('expires, and nothing is left of it', async () => {
    const { resumable, jobs, account, create, append, partials } = await open({ keepPartialMs: 1500 })
    const { id, expiresAt } = await create()
    expect(expiresAt?.getTime()).toBeGreaterThan(Date.now())
    await append(id, 0, '01234')
    expect(await partials()).toHaveLength(2)
    await eventually('it has expired', () => jobs.find(id) === undefined)
    expect(await partials()).toEqual([])
    expect((await jobs.findRecord(id))?.job).toMatchObject({ state: 'failed', error: { code: 'upload-gone' } })
    await expect(resumable.look(id, account)).rejects.toEqual(code('upload-gone'))
    await expect(append(id, 5, '56789')).rejects.toEqual(code('upload-gone'))
  })

  it('is gone for whoever comes too late, also before it is swept away', async () => {
    const { resumable, jobs, account, create, append, partials } = await open({ keepPartialMs: 60_000 })
    for (const ask of [
      (id: string) => resumable.look(id, account),
      (id: string) => append(id, 5, '56789'),
      (id: string) => resumable.stop(id, account),
    ]) {
      const { id } = await create()
      const { expiresAt } = await append(id, 0, '01234')
      const now = vi.spyOn(Date, 'now').mockReturnValue(expiresAt!.getTime())
      onTestFinished(() => now.mockRestore())
      await expect(ask(id)).rejects.toEqual(code('upload-gone'))
      expect(await partials()).toEqual([])
      expect((await jobs.findRecord(id))?.job.error?.code).toBe('upload-gone')
      now.mockRestore()
    }
  })

  it('does not expire while its bytes come, nor once it is published', async () => {
    const { resumable, jobs, account, create, append } = await open({ keepPartialMs: 100 })
    const { id } = await create()
    const body = new PassThrough()
    const piece = append(id, 0, body)
    for (let byte = 0; byte < 10; byte++) {
      body.write('x')
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    body.end()
    const { published, expiresAt } = await piece
    expect({ published: published?.size, expiresAt }).toEqual({ published: 10, expiresAt: null })
    await eventually('the upload is forgotten', () =>
      resumable.look(id, account).then(
        () => false,
        (error) => error.code === 'upload-gone',
      ),
    )
    expect((await jobs.findRecord(id))?.job.state).toBe('done')
  })
})

describe('the room of an upload', () => {
  it('is set aside as declared while it holds the slot, and shrinks to what has come when it gives it back', async () => {
    const { jobs, create, append } = await open({ keepSlotMs: 50, quota: 100 })
    const { id } = await create({ length: 90 })
    await append(id, 0, '0123456789')
    await eventually('the slot is given back', () => jobs.holding('upload', 'user:ann').length === 0)
    await expect(create({ length: 91 })).rejects.toEqual(code('quota-exceeded'))
    const other = await create({ length: 90 })
    await append(other.id, 0, 'x'.repeat(90))
    await expect(append(id, 10, 'y'.repeat(80))).rejects.toEqual(code('quota-exceeded'))
    expect(jobs.find(id)).toMatchObject({ state: 'interrupted', bytes: 10 })
  })

  it('grows with one whose length is deferred, which ends at the quota', async () => {
    const { jobs, create, append, partials } = await open({ quota: 100 })
    const { id } = await create({ length: null })
    await append(id, 0, 'x'.repeat(60))
    await expect(append(id, 60, 'x'.repeat(60))).rejects.toEqual(code('quota-exceeded'))
    expect((await jobs.findRecord(id))?.job).toMatchObject({ state: 'failed', error: { code: 'quota-exceeded' } })
    expect(await partials()).toEqual([])
  })
})

describe('an upload that breaks near its end', () => {
  const size = 64 * 1024 ** 2

  it('is told to be whole only once it is published', async () => {
    const { resumable, jobs, account, create, append } = await open()
    const { id } = await create({ length: size })
    const left = new AbortController()
    const body = new PassThrough({ highWaterMark: 2 ** 20 })
    const piece = append(id, 0, body, { left: left.signal })
    const broken = expect(piece).rejects.toEqual(code('client-left'))
    for (let sent = 0; sent < size; sent += 2 ** 20) {
      if (!body.write(Buffer.alloc(2 ** 20, 'a'))) await new Promise((resolve) => body.once('drain', resolve))
    }
    body.end()
    await new Promise((resolve) => body.once('end', resolve))
    left.abort(new Problem('client-left', 'The sender went.'))
    await broken
    await eventually('it is published', async () => {
      const { offset, published } = await resumable.look(id, account)
      if (published) return offset === size
      expect(offset).toBeLessThan(size)
      // What had not reached the disk is missing, or nothing is, and it is published by itself.
      if (jobs.find(id)?.state === 'interrupted') await append(id, offset, 'a'.repeat(size - offset))
      return false
    })
  })

  it('is whole when its deferred length turns out to be what has come', async () => {
    const { resumable, account, create, append } = await open()
    const { id } = await create({ length: null })
    await append(id, 0, '0123456789')
    const refused = append(id, 10, 'x', { length: 10 })
    await expect(refused).rejects.toEqual(code('body-too-large'))
    expect((await resumable.look(id, account)).offset).toBe(10)
    expect((await append(id, 10, '', { length: 10 })).published).toMatchObject({ size: 10 })
  })
})
