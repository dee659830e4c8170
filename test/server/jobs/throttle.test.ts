import { describe, expect, it } from 'vitest'
import { Job } from '../../../dist/server/jobs/job.js'
import { Throttle } from '../../../dist/server/jobs/throttle.js'
import { Flow } from '../../../dist/server/transfers/flow.js'
import { TestClock } from '../../helpers/test-clock.js'

const kiB = 1024

describe('a throttle booking', () => {
  it('that is cancelled is returned, unless the limit has changed since', () => {
    const throttle = new Throttle(1000, new TestClock())
    const first = throttle.book(10_000)
    expect(throttle.book(1000).waitMs).toBe(10_000)
    first.cancel()
    expect(throttle.book(1000).waitMs).toBe(1000)
    const old = throttle.book(1000)
    throttle.bytesPerSecond = 1000
    throttle.book(5000)
    old.cancel()
    expect(throttle.book(1000).waitMs).toBe(5000)
  })
})

describe('a job’s booking with the limit of its account', () => {
  /** A flow of a job with a limit of its own, whose account has another one. */
  function open() {
    const clock = new TestClock()
    const account = new Throttle(kiB, clock)
    const owner = { id: crypto.randomUUID(), accountId: 1, account: 'user:ann' }
    const job = new Job({ ...owner, kind: 'upload', rateLimit: 1 }, () => {}, clock)
    job.start()
    const left = new AbortController()
    const flow = new Flow({ carrier: job, shared: [account], idleTimeoutMs: 60_000, signal: left.signal })
    const nextWaitMs = () => {
      const booking = account.book(1)
      booking.cancel()
      return booking.waitMs
    }
    return { clock, job, flow, left, nextWaitMs }
  }

  it('is returned when the job’s own limit changes', async () => {
    const { clock, job, flow, nextWaitMs } = open()
    const passed = flow.pass(2 * kiB)
    await clock.advance(1000)
    expect(job.bytes).toBe(2)
    for (let change = 0; change < 200; change++) {
      job.limitRate(kiB + change)
      await clock.advance(0)
    }
    // Two chunks: the waiting one, and the one that passed at once. Two hundred would take ten seconds.
    expect(nextWaitMs()).toBeLessThan(200)
    job.abort(new Error('the end of the test') as never)
    await expect(passed).rejects.toThrow()
    flow.close()
  })

  it('is returned when the job ends', async () => {
    const { clock, job, flow, left, nextWaitMs } = open()
    job.limitRate(kiB)
    const passed = flow.pass(60 * kiB)
    await clock.advance(1000)
    expect(job.bytes).toBeGreaterThan(1000)
    left.abort(new Error('the end of the test'))
    await expect(passed).rejects.toThrow('the end of the test')
    expect(nextWaitMs()).toBeLessThan(100)
    flow.close()
  })
})
