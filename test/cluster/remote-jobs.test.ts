import { randomUUID } from 'node:crypto'
import { describe, expect, inject, it } from 'vitest'
import { Problem } from '../../dist/protocol/problems.js'
import { systemClock } from '../../dist/server/clock.js'
import { Job } from '../../dist/server/jobs/job.js'
import { Jobs } from '../../dist/server/jobs/jobs.js'
import { runJob } from '../../dist/server/jobs/run-job.js'
import type { Bus } from '../../dist/server/stores/bus.js'
import { answerJobRequests } from '../../dist/server/stores/postgres/job-requests.js'
import { postgresRemoteJobs } from '../../dist/server/stores/postgres/remote-jobs.js'
import type { OwnJobs, RemoteJobs } from '../../dist/server/stores/remote-jobs.js'
import { eventually } from '../helpers/eventually.js'
import { hasDatabase, type TestDatabase, testDatabase } from './helpers/database.js'
import { startDatabaseProxy } from './helpers/database-proxy.js'
import { openNode, reap, type TestNode, type TestNodeOptions } from './helpers/node.js'

describe.skipIf(!hasDatabase)('a job of another server', () => {
  it('is found until it has ended, and only on servers that do not run it', async () => {
    const { owner, other, start } = await openTwo()
    const { id, finish } = await start()
    expect(await other.remote.find(id)).toMatchObject({ accountId: 1, seq: 1, record: { id, state: 'running' } })
    expect((await other.remote.unfinished(1)).map(({ record }) => record.id)).toEqual([id])
    expect(await other.remote.unfinished(2)).toEqual([])
    expect(await other.remote.unfinished(null)).toHaveLength(1)
    expect(await owner.remote.find(id)).toBeUndefined()
    expect(await other.remote.find(randomUUID())).toBeUndefined()
    await finish()
    expect(await other.remote.find(id)).toBeUndefined()
  })

  it('is stopped when the stop is answered', async () => {
    const { owner, other, start } = await openTwo()
    const { id, ended } = await start()
    const receipt = await (await other.remote.find(id))!.stop('admin:eve')
    expect(receipt).toMatchObject({ stoppedBy: 'admin:eve', cleanedUp: true, job: { id, state: 'stopped' } })
    expect(owner.jobs.find(id)).toBeUndefined()
    expect(await other.history.find(id)).toMatchObject({ receipt })
    await expect(ended).rejects.toMatchObject({ code: 'job-stopped' })
    // The answer does not wait for the removal.
    await eventually('the request is removed', async () => (await other.sql`select from job_requests`).length === 0)
    expect((await other.slots.claim(owner.newJob(), waiting())).queued).toBeNull()
  })

  it('is paused, resumed and limited', async () => {
    const { other, start } = await openTwo()
    const { id, finish } = await start()
    const job = (await other.remote.find(id))!
    expect(await job.change({ rateLimit: 1000 })).toMatchObject({ id, rateLimit: 1000 })
    expect(await job.pause()).toMatchObject({ id, state: 'paused' })
    expect(await job.resume()).toMatchObject({ id, state: 'running' })
    expect(await job.change({ rateLimit: null })).toMatchObject({ rateLimit: null })
    await finish()
  })

  it('refuses as it does on its own server', async () => {
    const { other, start } = await openTwo()
    const { id, finish, job } = await start()
    const remote = (await other.remote.find(id))!
    job.commit()
    await expect(remote.pause()).rejects.toMatchObject({ code: 'not-running', details: { job: { id } } })
    await finish()
    expect(await remote.stop('user:ann')).toBeUndefined()
    expect(await remote.resume()).toBeUndefined()
  })

  it('answers each of several stops at the same time, from several servers', async () => {
    const { owner, other, start, database } = await openTwo()
    const third = await openWithJobs(database)
    const { id, ended } = await start()
    ended.catch(() => {})
    // Before the first stop ends it.
    const found = await Promise.all([other, third, other].map(({ remote }) => remote.find(id)))
    const stops = await Promise.all(found.map((job) => job!.stop('user:ann')))
    expect(stops.map((receipt) => receipt?.job.state)).toEqual(['stopped', 'stopped', 'stopped'])
    expect(owner.jobs.unfinished()).toEqual([])
  })

  it('is stopped although every message is lost, with the next renewal of a lease', async () => {
    const { owner, stopped } = await stopUnheard()
    await owner.lease.beat()
    expect(await stopped).toMatchObject({ job: { state: 'stopped' } })
  })

  it('gets a message again if the first one is lost', async () => {
    const { proxy, stopped } = await stopUnheard()
    proxy.deliversNotices = true
    expect(await stopped).toMatchObject({ job: { state: 'stopped' } })
  })

  it('is stopped by another server if its own has died', async () => {
    const { owner, other, start } = await openTwo()
    const { id } = await start()
    await owner.kill()
    const stopped = (await other.remote.find(id))!.stop('user:ann')
    await eventually('the request is in the database', async () => (await other.sql`select from job_requests`).length)
    await reap(owner, other)
    const receipt = await stopped
    const ended = await other.history.find(id)
    expect(ended).toMatchObject({ job: { state: 'stopped', stoppedBy: 'user:ann' }, receipt: { cleanedUp: false } })
    expect(receipt).toEqual(ended!.receipt)
    expect(receipt!.message).toMatch(/^Stopped the upload of f: its server ended meanwhile/)
  })

  it('that no server runs can be stopped, and cannot be paused', async () => {
    const { owner, other } = await openTwo()
    const job = owner.newJob()
    await owner.slots.register(job)
    await owner.kill()
    await reap(owner, other)
    const remote = (await other.remote.find(job.id))!
    expect(remote.record.state).toBe('interrupted')
    await expect(remote.pause()).rejects.toMatchObject({ code: 'not-running' })
    const stopped = remote.stop('user:ann')
    await eventually('the request is in the database', async () => (await other.sql`select from job_requests`).length)
    await other.reaper.run()
    expect(await stopped).toMatchObject({ job: { id: job.id, state: 'stopped' } })
  })

  it('that no server runs can be limited, and resumed if it is paused, which its next server finds', async () => {
    const { owner, other } = await openTwo()
    const job = owner.newJob()
    await owner.slots.register(job)
    const stored = { name: 'a', paused: true, rateLimit: 500 }
    await other.sql`
      insert into partials (id, content, state) values (${job.id}, 'c', ${JSON.stringify(stored)}::text::json)`
    await owner.kill()
    await reap(owner, other)
    const remote = (await other.remote.find(job.id))!
    const state = async () => (await other.sql`select state from partials where id = ${job.id}`)[0]!.state
    expect(await remote.change({ rateLimit: 1000 })).toMatchObject({ id: job.id, rateLimit: 1000 })
    expect(await state()).toEqual({ name: 'a', paused: true, rateLimit: 1000 })
    expect(await remote.resume()).toMatchObject({ state: 'interrupted', rateLimit: 1000 })
    expect(await state()).toEqual({ name: 'a', paused: false, rateLimit: 1000 })
    expect((await other.remote.find(job.id))!.record.rateLimit).toBe(1000)
    await expect(remote.resume()).rejects.toMatchObject({ code: 'not-running' })
  })

  it('is asked again when the asking server has lost its lease', async () => {
    const { owner, other, start } = await openTwo()
    const { id, ended } = await start()
    ended.catch(() => {})
    const remote = (await other.remote.find(id))!
    owner.answers = false
    const stopped = remote.stop('user:ann')
    await eventually('the request is in the database', async () => (await other.sql`select from job_requests`).length)
    await reap(other, owner)
    expect(await other.sql`select from job_requests`).toEqual([])
    owner.answers = true
    await other.lease.beat()
    expect(await stopped).toMatchObject({ job: { state: 'stopped' } })
  })

  it('fails with the words of an unexpected error', async () => {
    const { owner, other, start } = await openTwo()
    const { id, finish } = await start()
    owner.own.pause = async () => {
      throw new Error('out of memory')
    }
    const problem = expect.objectContaining({ code: 'internal', message: expect.stringContaining('out of memory') })
    await expect((await other.remote.find(id))!.pause()).rejects.toEqual(problem)
    owner.own.pause = async () => {
      throw new Problem('of-a-later-version' as never, 'Not yet known here.')
    }
    await expect((await other.remote.find(id))!.pause()).rejects.toMatchObject({
      code: 'internal',
      message: 'Not yet known here.',
    })
    await finish()
  })
})

interface NodeWithJobs extends TestNode {
  jobs: Jobs
  remote: RemoteJobs
  own: OwnJobs
  /** Whether it answers requests. */
  answers: boolean
  newJob(): Parameters<TestNode['slots']['claim']>[0]
}

async function openTwo(ownerOptions: TestNodeOptions = {}) {
  const database = await testDatabase()
  const [owner, other] = [await openWithJobs(database, ownerOptions), await openWithJobs(database)]
  /** An upload that runs until it is finished or stopped. */
  async function start() {
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const plan = { kind: 'upload', accountId: 1, account: 'user:ann', file: 'f' } as const
    const { job, result: ended } = await runJob(owner.jobs.admit(plan, waiting()), async ({ signal }) => {
      const stopped = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
      await Promise.race([finished, stopped])
    })
    await eventually('its start is recorded', async () => {
      return (await other.history.find(job.id))?.job.state === 'running'
    })
    return {
      id: job.id,
      job,
      ended,
      async finish() {
        finish()
        await ended
      },
    }
  }
  return { database, owner, other, start }
}

async function openWithJobs(database: TestDatabase, options: TestNodeOptions = {}): Promise<NodeWithJobs> {
  const node = await openNode(database, options)
  const { sql, lease, bus, slots, history, closing, errors } = node
  const jobs = new Jobs(history, { slots, clock: systemClock })
  const whole: NodeWithJobs = {
    ...node,
    jobs,
    remote: postgresRemoteJobs(sql, { lease, bus, clock: systemClock }),
    own: {
      stop: (id, by) => jobs.stop(id, by),
      pause: (id) => jobs.pause(id),
      resume: (id) => jobs.resume(id),
      change: (id, changes) => jobs.change(id, changes),
      handOver: async (id) => jobs.handOver(jobs.find(id)!),
    },
    answers: true,
    newJob: () =>
      new Job({ id: randomUUID(), kind: 'upload', accountId: 1, account: 'user:ann' }, () => {}, systemClock),
  }
  const own: OwnJobs = {
    stop: (id, by) => whole.own.stop(id, by),
    pause: (id) => whole.own.pause(id),
    resume: (id) => whole.own.resume(id),
    change: (id, changes) => whole.own.change(id, changes),
    handOver: (id) => whole.own.handOver(id),
  }
  const heard: Bus = {
    tell: (to, message) => bus.tell(to, message),
    onMessage: (listener) => bus.onMessage((message, from) => whole.answers && listener(message, from)),
    onGap: (listener) => bus.onGap(listener),
  }
  answerJobRequests(sql, own, {
    lease,
    bus: heard,
    clock: systemClock,
    closing,
    onError: (error) => errors.push(error),
  })
  return whole
}

function waiting() {
  return { waitMs: Number.POSITIVE_INFINITY, signal: new AbortController().signal }
}

/** Stops a job of a server that hears no messages. */
async function stopUnheard() {
  const proxy = await startDatabaseProxy(inject('database')!)
  const { owner, other, start } = await openTwo({ url: proxy.url })
  const { id, ended } = await start()
  ended.catch(() => {})
  proxy.deliversNotices = false
  const stopped = (await other.remote.find(id))!.stop('user:ann')
  await eventually('the request is in the database', async () => (await owner.sql`select from job_requests`).length)
  return { owner, proxy, stopped }
}
