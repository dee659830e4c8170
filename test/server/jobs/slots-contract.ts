import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Problem } from '../../../dist/protocol/problems.js'
import { systemClock } from '../../../dist/server/clock.js'
import { Job } from '../../../dist/server/jobs/job.js'
import type { QueueWait, Slots } from '../../../dist/server/stores/slots.js'
import { checkAsync } from '../../helpers/properties.js'

export interface SlotsUnderTest {
  slotsPerAccount: number
  /** The sequence number of the newest job of earlier runs. */
  lastSeq: number
  /** Jobs in the history that have not ended, with their sequence numbers. */
  usedIds: Map<string, number>
}

/** What any implementation of slots must do. At most `maxWaiting` jobs of an account wait. `runs`: of the property. */
export function slotsContract(
  openSlots: (options: SlotsUnderTest) => Promise<Slots>,
  { maxWaiting = 16, runs = 100 } = {},
): void {
  const open = (slotsPerAccount: number, { lastSeq = 0, usedIds = new Map<string, number>() } = {}) =>
    openSlots({ slotsPerAccount, lastSeq, usedIds })

  it('get a higher sequence number with each job, also one that waits or needs no slot yet', async () => {
    const slots = await open(1, { lastSeq: 7 })
    const claims = [
      await slots.claim(newJob('user:ann'), waiting()),
      await slots.claim(newJob('user:ann'), waiting()),
      await slots.register(newJob('user:ann')),
      await slots.claim(newJob('user:bob'), waiting()),
    ]
    expect(claims.map(({ seq }) => seq)).toEqual([8, 9, 10, 11])
    expect(claims.map(({ queued }) => queued === null)).toEqual([true, false, true, true])
    expect((await slots.register(newJob('user:ann'), 3)).seq).toBe(3)
    expect(claims.map(({ lost }) => lost.aborted)).toEqual([false, false, false, false])
  })

  it('are given to one of several concurrent claims with the same id', async () => {
    const slots = await open(3)
    const id = randomUUID()
    const claims = [1, 2, 3].map(() => slots.claim(newJob('user:ann', id), waiting()))
    const registered = slots.register(newJob('user:ann', id))
    const outcomes = await Promise.allSettled([...claims, registered])
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    expect(refused).toEqual(['job-id-used', 'job-id-used', 'job-id-used'])
    expect(await slots.holding('upload', 'user:ann')).toHaveLength(1)
  })

  it('reject an id in the history, except for a job of an earlier run', async () => {
    const [known, earlier] = [newJob('user:ann'), newJob('user:ann')]
    const slots = await open(1, {
      lastSeq: 2,
      usedIds: new Map([
        [known.id, 1],
        [earlier.id, 2],
      ]),
    })
    await expect(slots.claim(known, waiting())).rejects.toMatchObject({ code: 'job-id-used' })
    await expect(slots.register(known)).rejects.toMatchObject({ code: 'job-id-used' })
    expect(await slots.register(earlier, 2)).toMatchObject({ seq: 2, queued: null })
    expect(await slots.holding('upload', 'user:ann')).toEqual([])
  })

  it('leave the id of a rejected job unused', async () => {
    const slots = await open(1)
    const [first, refused] = [newJob('user:ann'), newJob('user:ann')]
    await take(slots, first, waiting())
    await expect(slots.claim(refused, { ...waiting(), waitMs: 0 })).rejects.toMatchObject({ code: 'job-running' })
    await slots.release(first)
    await take(slots, refused, waiting())
    expect(await slots.holding('upload', 'user:ann')).toEqual([refused.record()])
  })

  it('notifies also a holder that asks for it after its claim', async () => {
    const slots = await open(1)
    const [job, other] = [newJob('user:ann'), newJob('user:ann')]
    await slots.claim(job, waiting())
    let wanted = 0
    await slots.claimAgain(job, waiting(), () => wanted++)
    const { queued } = await slots.claim(other, waiting())
    expect(wanted).toBe(1)
    await slots.release(job)
    await queued
  })

  it('are free when their job was handed over, which can then be registered again', async () => {
    const slots = await open(1)
    const [job, next] = [newJob('user:ann'), newJob('user:ann')]
    const { seq } = await slots.register(job)
    await slots.claimAgain(job, waiting(), () => {})
    const { queued } = await slots.claim(next, waiting())
    await slots.handOver(job)
    await queued
    expect((await slots.register(job, seq)).seq).toBe(seq)
    await expect(slots.claimAgain(job, { ...waiting(), waitMs: 0 }, () => {})).rejects.toMatchObject({
      code: 'job-running',
    })
  })

  it('can be released and claimed again, and the holder is notified when a job starts to wait', async () => {
    const slots = await open(1)
    const [job, other] = [newJob('user:ann'), newJob('user:ann')]
    await slots.register(job)
    expect(await slots.holding('upload', 'user:ann')).toEqual([])
    let wanted = 0
    for (let repeat = 0; repeat < 2; repeat++) await slots.claimAgain(job, waiting(), () => wanted++)
    expect(await slots.holding('upload', 'user:ann')).toEqual([job.record()])
    const { queued } = await slots.claim(other, waiting())
    expect([wanted, slots.isWanted('upload', 'user:ann')]).toEqual([1, true])
    await slots.release(job)
    await queued
    const again = slots.claimAgain(job, { ...waiting(), waitMs: 0 }, () => {})
    await expect(again).rejects.toMatchObject({ code: 'job-running', details: { job: { id: other.id } } })
    await slots.release(other)
    await slots.claimAgain(job, waiting(), () => {})
    expect(await slots.holding('upload', 'user:ann')).toEqual([job.record()])
  })

  it('are available to the next request as soon as `release` has been called', async () => {
    const slots = await open(1)
    const [first, next] = [newJob('user:ann'), newJob('user:ann')]
    await take(slots, first, waiting())
    const released = slots.release(first)
    expect((await slots.claim(next, { ...waiting(), waitMs: 0 })).queued).toBeNull()
    await released
  })

  it('are refused at once to a job that may not wait, with the job that holds the slot', async () => {
    const slots = await open(1)
    const first = newJob('user:ann')
    await take(slots, first, waiting())
    const refused = take(slots, newJob('user:ann'), { ...waiting(), waitMs: 0 })
    await expect(refused).rejects.toMatchObject({ code: 'job-running', details: { job: { id: first.id } } })
    expect(slots.isWanted('upload', 'user:ann')).toBe(false)
  })

  it('are refused to a job that has waited for the maximum time, and it leaves the queue', async () => {
    const slots = await open(1)
    await take(slots, newJob('user:ann'), waiting())
    const late = take(slots, newJob('user:ann'), { ...waiting(), waitMs: 1 })
    await expect(late).rejects.toMatchObject({ code: 'job-running' })
    expect(slots.isWanted('upload', 'user:ann')).toBe(false)
  })

  it('are refused while the queue is full', async () => {
    const slots = await open(1)
    await take(slots, newJob('user:ann'), waiting())
    const client = new AbortController()
    const first = take(slots, newJob('user:ann'), { ...waiting(), signal: client.signal })
    for (let count = 1; count < maxWaiting; count++) take(slots, newJob('user:ann'), waiting())
    await expect(take(slots, newJob('user:ann'), waiting())).rejects.toMatchObject({ code: 'job-running' })
    client.abort(new Error('left'))
    await expect(first).rejects.toThrow('left')
    const next = new AbortController()
    const queued = take(slots, newJob('user:ann'), { ...waiting(), signal: next.signal })
    next.abort(new Error('left, too'))
    await expect(queued).rejects.toThrow('left, too')
  })

  it('can be released twice, which frees one slot', async () => {
    const slots = await open(1)
    const [first, second, third] = [newJob('user:ann'), newJob('user:ann'), newJob('user:ann')]
    await take(slots, first, waiting())
    const [admitted, queued] = [take(slots, second, waiting()), take(slots, third, waiting())]
    await slots.release(first)
    await slots.release(first)
    await admitted
    await nextTick()
    expect(await slots.holding('upload', 'user:ann')).toEqual([second.record()])
    await slots.release(second)
    await queued
  })

  it('are given in order of arrival, never to more holders than there are, and an aborted waiter leaves no trace', async () => {
    const step = fc.record({
      do: fc.constantFrom('claim', 'claim', 'claim', 'release', 'release', 'disconnect', 'stop'),
      account: fc.constantFrom('user:ann', 'user:bob'),
      pick: fc.nat(20),
    })
    await checkAsync(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 80 }), async (limit, steps) => {
        const slots = await open(limit)
        const holders: Job[] = []
        const queue: { job: Job; client: AbortController; queued: Promise<void> }[] = []
        const own = (account: string) => holders.filter((job) => job.account === account)
        const claim = async (account: string) => {
          const [job, client] = [newJob(account), new AbortController()]
          const claiming = slots.claim(job, { ...waiting(), signal: client.signal })
          if (own(account).length < limit) {
            expect((await claiming).queued).toBeNull()
            holders.push(job)
          } else if (queue.filter((each) => each.job.account === account).length < maxWaiting) {
            queue.push({ job, client, queued: (await claiming).queued! })
          } else await expect(claiming).rejects.toMatchObject({ code: 'job-running' })
        }
        const release = async (job: Job) => {
          holders.splice(holders.indexOf(job), 1)
          const next = queue.findIndex((each) => each.job.account === job.account)
          const [admitted] = next < 0 ? [] : queue.splice(next, 1)
          if (admitted) holders.push(admitted.job)
          await slots.release(job)
          await admitted?.queued
        }
        for (const { do: action, account, pick } of steps) {
          if (action === 'claim') await claim(account)
          else if (action === 'release' && holders.length > 0) await release(holders[pick % holders.length]!)
          else if (queue.length > 0 && action !== 'release') {
            const [{ job, client, queued }] = queue.splice(pick % queue.length, 1) as [(typeof queue)[number]]
            const reason = new Problem('client-left', 'It left.')
            if (action === 'disconnect') client.abort(reason)
            else job.abort(reason)
            await expect(queued).rejects.toBe(reason)
          }
          for (const each of ['user:ann', 'user:bob']) {
            expect((await slots.holding('upload', each)).map(({ id }) => id)).toEqual(own(each).map(({ id }) => id))
            expect(slots.isWanted('upload', each)).toBe(queue.some(({ job }) => job.account === each))
          }
        }
        while (holders.length > 0) await release(holders[0]!)
        expect(queue).toEqual([])
        for (const each of ['user:ann', 'user:bob']) expect(await slots.holding('upload', each)).toEqual([])
      }),
      runs,
    )
  })
}

/** Resolves when the job has its slot. */
async function take(slots: Slots, job: Job, wait: QueueWait): Promise<void> {
  const { queued } = await slots.claim(job, wait)
  await queued
}

function newJob(account: string, id: string = randomUUID()): Job {
  return new Job({ id, kind: 'upload', accountId: 1, account }, () => {}, systemClock)
}

function waiting() {
  return { waitMs: Number.POSITIVE_INFINITY, signal: new AbortController().signal }
}

function nextTick(): Promise<void> {
  return new Promise(setImmediate)
}
