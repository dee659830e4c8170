import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../dist/server/clock.js'
import { Job } from '../../dist/server/jobs/job.js'
import type { HistoryEntry } from '../../dist/server/stores/history.js'
import type { Slots } from '../../dist/server/stores/slots.js'
import { eventually } from '../helpers/eventually.js'
import { checkAsync } from '../helpers/properties.js'
import { endOf } from '../server/stores/history-contract.js'
import { hasDatabase, testDatabase } from './helpers/database.js'
import { startDatabaseProxy } from './helpers/database-proxy.js'
import { openNode, reap, type TestNode } from './helpers/node.js'

describe.skipIf(!hasDatabase)('slots of several servers', () => {
  it('are held by one job, for any number of claims at the same time', async () => {
    const database = await testDatabase()
    const nodes = [await openNode(database), await openNode(database), await openNode(database)]
    const jobs = nodes.flatMap((node) => Array.from({ length: 5 }, () => ({ node, job: newJob() })))
    const claims = await Promise.all(jobs.map(({ node, job }) => node.slots.claim(job, waiting())))
    const waits = jobs.map((each, at) => ({ ...each, ...claims[at]! }))
    expect(waits.filter(({ queued }) => queued === null)).toHaveLength(1)
    const order: string[] = []
    for (const { job, queued } of waits) queued?.then(() => order.push(job.id))
    const queueOrder = await nodes[0]!.sql`select id from jobs where is_waiting order by turn`
    for (let ended = 0; ended < jobs.length; ended++) {
      const [holder, ...others] = await nodes[0]!.slots.holding('upload', 'user:ann')
      expect(others).toEqual([])
      const { node, job, queued } = waits.find(({ job: { id } }) => id === holder!.id)!
      await queued
      await node.slots.release(job)
    }
    expect(await nodes[0]!.slots.holding('upload', 'user:ann')).toEqual([])
    await eventually('all had their turn', () => order.length === 14)
    expect(order).toEqual(queueOrder.map(({ id }) => id))
  })

  it('are given first come, first served, whichever servers the jobs are on, and never to two', async () => {
    const database = await testDatabase()
    const nodes = [await openNode(database, { jobsPerAccount: 2 }), await openNode(database, { jobsPerAccount: 2 })]
    const step = fc.record({
      do: fc.constantFrom('claim', 'claim', 'claim', 'release', 'release', 'leave'),
      at: fc.nat(1),
      pick: fc.nat(20),
    })
    let run = 0
    await checkAsync(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const account = `user:ann-${run++}`
        const holders: { job: Job; slots: Slots }[] = []
        const queue: { job: Job; slots: Slots; queued: Promise<void>; client: AbortController }[] = []
        for (const { do: action, at, pick } of steps) {
          const { slots } = nodes[at]!
          if (action === 'claim') {
            const [job, client] = [newJob(account), new AbortController()]
            const { queued } = await slots.claim(job, { ...waiting(), signal: client.signal, isBounded: false })
            if (queued) queue.push({ job, slots, queued, client })
            else holders.push({ job, slots })
          } else if (action === 'release' && holders.length > 0) {
            const [gone] = holders.splice(pick % holders.length, 1)
            await gone!.slots.release(gone!.job)
            const next = queue.shift()
            if (next) holders.push(next)
            await next?.queued
          } else if (action === 'leave' && queue.length > 0) {
            const [gone] = queue.splice(pick % queue.length, 1)
            gone!.client.abort(new Error('left'))
            await expect(gone!.queued).rejects.toThrow('left')
          }
          const held = (await slots.holding('upload', account)).map(({ id }) => id)
          expect(held).toEqual(holders.map(({ job }) => job.id))
          expect(held.length).toBeLessThanOrEqual(2)
        }
        for (const { client, queued } of queue) {
          client.abort(new Error('left'))
          await queued.catch(() => {})
        }
      }),
      15,
    )
  })

  it('notify the holder on another server when a job starts to wait, and when none does any more', async () => {
    const database = await testDatabase()
    const [here, there] = [await openNode(database), await openNode(database)]
    const [job, other] = [newJob(), newJob()]
    await here.slots.register(job)
    let wanted = 0
    await here.slots.claimAgain(job, waiting(), () => wanted++)
    const client = new AbortController()
    const { queued } = await there.slots.claim(other, { ...waiting(), signal: client.signal })
    await eventually('the holder is notified', () => wanted === 1)
    expect(here.slots.isWanted('upload', 'user:ann')).toBe(true)
    client.abort(new Error('left'))
    await expect(queued).rejects.toThrow('left')
    await eventually('nobody waits', () => !here.slots.isWanted('upload', 'user:ann'))
  })

  it('reach a waiting job without any message, with the next renewal of its lease', async () => {
    const database = await testDatabase()
    const proxy = await startDatabaseProxy(inject('database')!)
    const here = await openNode(database)
    const deaf = await openNode(database, { url: proxy.url })
    const [job, next] = [newJob(), newJob()]
    await here.slots.claim(job, waiting())
    const { queued } = await deaf.slots.claim(next, waiting())
    proxy.deliversNotices = false
    await here.slots.release(job)
    await deaf.lease.beat()
    await queued
    expect(await here.slots.holding('upload', 'user:ann')).toEqual([next.record()])
  })

  it('are free again if the database did not do what a claim wanted', async () => {
    const database = await testDatabase()
    const node = await openNode(database)
    const [refused, next] = [newJob(), newJob()]
    await node.sql`alter sequence job_turns rename to elsewhere`
    await expect(node.slots.claim(refused, waiting())).rejects.toMatchObject({ code: '42P01' })
    await node.sql`alter sequence elsewhere rename to job_turns`
    expect((await node.slots.claim(refused, waiting())).queued).toBeNull()
    await node.slots.release(refused)
    await node.slots.register(next)
    await node.sql`alter sequence job_turns rename to elsewhere`
    await expect(node.slots.claimAgain(next, waiting(), () => {})).rejects.toMatchObject({ code: '42P01' })
    await node.sql`alter sequence elsewhere rename to job_turns`
    await node.slots.claimAgain(next, waiting(), () => {})
    expect(await node.slots.holding('upload', 'user:ann')).toEqual([next.record()])
  })
})

describe.skipIf(!hasDatabase)('a commit whose answer is lost', () => {
  it('leaves no slot with a claim that its caller takes for failed', async () => {
    const { node, proxy } = await openLossy()
    const [refused, next] = [newJob(), newJob()]
    proxy.losesNextCommit = true
    await expect(node.slots.claim(refused, waiting())).rejects.toThrow(/ECONNRESET|CONNECTION_CLOSED/)
    expect((await node.slots.claim(next, waiting())).queued).toBeNull()
    expect(await node.slots.holding('upload', 'user:ann')).toEqual([next.record()])
    await node.slots.release(next)
    expect((await node.slots.claim(refused, waiting())).queued).toBeNull()
  })

  it('leaves no slot with a job that could not claim it again', async () => {
    const { node, proxy } = await openLossy()
    const job = newJob()
    await node.slots.register(job)
    proxy.losesNextCommit = true
    await expect(node.slots.claimAgain(job, waiting(), () => {})).rejects.toThrow(/ECONNRESET|CONNECTION_CLOSED/)
    expect((await node.slots.claim(newJob(), waiting())).queued).toBeNull()
  })

  it('does not keep a released slot from the next job', async () => {
    const { node, proxy } = await openLossy()
    const [job, next] = [newJob(), newJob()]
    await node.slots.claim(job, waiting())
    const { queued } = await node.slots.claim(next, waiting())
    proxy.losesNextCommit = true
    await node.slots.release(job)
    await node.lease.beat()
    await queued
  })

  async function openLossy() {
    const proxy = await startDatabaseProxy(inject('database')!)
    return { proxy, node: await openNode(await testDatabase(), { poolUrl: proxy.url }) }
  }
})

describe.skipIf(!hasDatabase)('a job that another server runs', () => {
  it('is not ended, noted or released by a server that finds it unfinished', async () => {
    const database = await testDatabase()
    const [owner, other] = [await openNode(database), await openNode(database)]
    const job = newJob()
    const { seq } = await owner.slots.claim(job, waiting())
    await owner.history.note(entry(job, seq))
    for (const found of await other.history.unfinished({ accountId: null })) await other.history.end(endOf(found))
    await other.slots.release(job)
    expect(await owner.slots.holding('upload', 'user:ann')).toEqual([job.record()])
    await owner.history.end(endOf(entry(job, seq)))
    expect(await owner.history.find(job.id)).toEqual(endOf(entry(job, seq)))
    expect([owner.errors, other.errors].map(({ length }) => length)).toEqual([0, 1])
  })
})

describe.skipIf(!hasDatabase)('a server that has died', () => {
  it('loses its claims to the oldest job that waits elsewhere, and its jobs have failed', async () => {
    const database = await testDatabase()
    const [dead, alive] = [await openNode(database), await openNode(database)]
    const [job, next] = [newJob(), newJob()]
    const claim = await dead.slots.claim(job, waiting())
    await dead.history.note(entry(job, claim.seq))
    const { queued } = await alive.slots.claim(next, waiting())
    await dead.kill()
    await reap(dead, alive)
    await queued
    expect(await alive.slots.holding('upload', 'user:ann')).toEqual([next.record()])
    const ended = await alive.history.find(job.id)
    expect(ended).toMatchObject({ job: { state: 'failed', error: { code: 'shutting-down' } } })
    expect((await alive.history.list({ accountId: 1, limit: 10 })).map(({ job: { id } }) => id)).toEqual([job.id])
    expect(await alive.sql`select from nodes where id = ${dead.lease.id}`).toEqual([])
  })

  it('leaves a resumable job interrupted, and one other server continues it', async () => {
    const database = await testDatabase()
    const [dead, alive, other] = [await openNode(database), await openNode(database), await openNode(database)]
    const job = newJob()
    const { seq } = await dead.slots.register(job)
    await dead.slots.claimAgain(job, waiting(), () => {})
    await expect(alive.slots.register(job, seq)).rejects.toMatchObject({ code: 'job-id-used' })
    await dead.kill()
    await reap(dead, alive)
    const [left] = await alive.history.unfinished({ accountId: 1 })
    expect(left).toMatchObject({ seq, job: { id: job.id, state: 'interrupted' } })
    const taken = await Promise.allSettled([alive, other].map(({ slots }) => slots.register(job, seq)))
    expect(taken.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('is found within the length of its lease and a second, without anything said', async () => {
    const database = await testDatabase()
    const [dead, alive] = [await openNode(database, { leaseMs: 300 }), await openNode(database, { leaseMs: 300 })]
    await dead.slots.claim(newJob(), waiting())
    await dead.kill()
    await eventually('its slot is free', async () => {
      await alive.lease.beat()
      await alive.clock.advance(1000)
      return (await alive.slots.holding('upload', 'user:ann')).length === 0
    })
  })

  it('is not declared dead by a server that has been away itself', async () => {
    const database = await testDatabase()
    const [late, back] = [await openNode(database), await openNode(database)]
    await late.slots.claim(newJob(), waiting())
    await late.sql`update nodes set expires_at = clock_timestamp() - interval '1 second'`
    await back.reaper.run()
    await late.lease.beat()
    await back.lease.beat()
    back.clock.skip(6000)
    await back.reaper.run()
    expect(await back.slots.holding('upload', 'user:ann')).toHaveLength(1)
  })

  it('is not declared dead by one that is to be declared dead itself', async () => {
    const database = await testDatabase()
    const [first, second] = [await openNode(database), await openNode(database)]
    await first.sql`update nodes set expires_at = clock_timestamp() - interval '1 second'`
    second.clock.skip(second.lease.leaseMs)
    await second.reaper.run()
    expect((await first.sql`select id from nodes`).map(({ id }) => id).sort()).toEqual(
      [first.lease.id, second.lease.id].sort(),
    )
  })

  it('has given its slots away when it closes properly, and another server ends what it left', async () => {
    const database = await testDatabase()
    const [closing, other] = [await openNode(database), await openNode(database)]
    const job = newJob()
    const { seq } = await closing.slots.claim(job, waiting())
    await closing.history.note(entry(job, seq))
    await closing.close()
    other.clock.skip(6000)
    await other.reaper.run()
    expect(await other.history.find(job.id)).toMatchObject({ job: { state: 'failed' } })
    expect((await other.slots.claim(newJob(), waiting())).queued).toBeNull()
  })
})

describe.skipIf(!hasDatabase)('a server that was suspended while others took its jobs', () => {
  async function openStale(): Promise<{ stale: TestNode; other: TestNode; job: Job; seq: number; lost: AbortSignal }> {
    const database = await testDatabase()
    const [stale, other] = [await openNode(database), await openNode(database)]
    const job = newJob()
    const { seq, lost } = await stale.slots.claim(job, waiting())
    await stale.history.note(entry(job, seq))
    await reap(stale, other)
    return { stale, other, job, seq, lost }
  }

  it('cannot record, claim or release anything under its old registration', async () => {
    const { stale, other, job, seq } = await openStale()
    const next = newJob()
    await other.slots.claim(next, waiting())
    await stale.history.end(endOf(entry(job, seq)))
    await stale.slots.release(job)
    await expect(stale.slots.claim(newJob(), waiting())).rejects.toMatchObject({ code: 'storage-unavailable' })
    await expect(stale.slots.register(newJob())).rejects.toMatchObject({ code: 'storage-unavailable' })
    expect(await other.history.find(job.id)).toMatchObject({ job: { state: 'failed' } })
    expect(await other.slots.holding('upload', 'user:ann')).toEqual([next.record()])
    expect(stale.errors.map(String)).toEqual([expect.stringContaining('others have ended it')])
  })

  it('learns of it with the next renewal, fails its jobs, and registers anew', async () => {
    const { stale, other, job, seq, lost } = await openStale()
    const before = stale.lease.id
    expect(lost.aborted).toBe(false)
    await stale.lease.beat()
    expect(lost.reason).toMatchObject({ code: 'storage-unavailable' })
    expect(stale.lease.id).toBeGreaterThan(before)
    // Its job ends under the old registration, which no longer counts.
    await stale.history.end(endOf(entry(job, seq)))
    expect(await other.history.find(job.id)).toMatchObject({ job: { state: 'failed' } })
    expect((await stale.slots.claim(newJob(), waiting())).queued).toBeNull()
  })

  it('writes nothing to a resumable job, whether another server continues it or not', async () => {
    const database = await testDatabase()
    const [stale, other] = [await openNode(database), await openNode(database)]
    const job = newJob()
    const { seq } = await stale.slots.register(job)
    await reap(stale, other)
    await stale.history.note(entry(job, seq))
    expect(await other.history.find(job.id)).toMatchObject({ job: { state: 'interrupted' } })
    await other.slots.register(job, seq)
    await stale.history.end(endOf(entry(job, seq), 'failed'))
    expect(await other.history.find(job.id)).toMatchObject({ job: { state: 'waiting', endedAt: null } })
    await other.history.end(endOf(entry(job, seq)))
    expect(await other.history.find(job.id)).toMatchObject({ job: { state: 'done' } })
    expect(stale.errors).toHaveLength(2)
  })

  it('has lost a claim that was made while it lost its lease', async () => {
    const { lease } = await openNode(await testDatabase())
    expect(lease.own('a', lease.id).aborted).toBe(false)
    expect(lease.own('b', lease.id - 1).reason).toMatchObject({ code: 'storage-unavailable' })
  })
})

describe.skipIf(!hasDatabase)('a lease that cannot be renewed', () => {
  it('holds transfers before others may take them, and lets them continue when the database is back', async () => {
    const database = await testDatabase()
    const proxy = await startDatabaseProxy(inject('database')!)
    const node = await openNode({ ...database, url: proxy.url })
    const changes: boolean[] = []
    const stop = node.lease.onHold((isHeld) => changes.push(isHeld))
    await node.clock.advance(1)
    proxy.isOpen = false
    proxy.cut()
    await node.lease.beat()
    expect(node.lease.isHeld).toBe(false)
    await node.clock.advance(4500)
    expect(node.lease.isHeld).toBe(true)
    expect(node.lease.heldForMs).toBe(0)
    proxy.isOpen = true
    await eventually('the lease is renewed', async () => {
      await node.clock.advance(250)
      return !node.lease.isHeld
    })
    expect(changes).toEqual([true, false])
    expect(node.errors.length).toBeGreaterThan(0)
    stop()
  })

  it('is renewed through another connection if the first one answers nothing', async () => {
    const database = await testDatabase()
    const node = await openNode(database)
    const blocker = database.connect(1)
    await blocker`begin`
    await blocker`lock table nodes`
    const renewal = node.lease.beat()
    await node.clock.advance(4500)
    await renewal
    expect(node.errors).toHaveLength(1)
    await blocker`commit`
    await eventually('the lease is renewed', async () => {
      await node.clock.advance(250)
      return !node.lease.isHeld
    })
  })
})

function newJob(account = 'user:ann'): Job {
  return new Job({ id: randomUUID(), kind: 'upload', accountId: 1, account }, () => {}, systemClock)
}

function entry(job: Job, seq: number): HistoryEntry {
  return { seq, accountId: job.accountId, job: job.record() }
}

function waiting() {
  return { waitMs: Number.POSITIVE_INFINITY, signal: new AbortController().signal }
}
