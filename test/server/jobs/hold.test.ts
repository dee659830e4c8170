import { describe, expect, it } from 'vitest'
import { AccountThrottles } from '../../../dist/server/jobs/account-throttles.js'
import { Job } from '../../../dist/server/jobs/job.js'
import { Flow } from '../../../dist/server/transfers/flow.js'
import { TestClock } from '../../helpers/test-clock.js'

describe('a hold of all transfers', () => {
  function open() {
    const clock = new TestClock()
    const throttles = new AccountThrottles(null, clock)
    const owner = { id: crypto.randomUUID(), accountId: 1, account: 'user:ann' }
    const job = new Job({ ...owner, kind: 'upload' }, () => {}, clock)
    job.start()
    const left = new AbortController()
    const shared = [throttles.of('user:ann')]
    const flow = new Flow({ carrier: job, shared, idleTimeoutMs: 60_000, signal: left.signal })
    return { clock, hold: throttles.hold, job, flow, left }
  }

  it('lets no byte pass until it is released, without a change of the state, and is no stall', async () => {
    const { clock, hold, job, flow } = open()
    expect(flow.pass(1)).toBeUndefined()
    hold.set(true)
    hold.set(true)
    const passed = flow.pass(1)
    await clock.advance(600_000)
    expect([job.state, job.bytes]).toEqual(['running', 1])
    hold.set(false)
    await passed
    expect(job.bytes).toBe(2)
    expect(flow.pass(1)).toBeUndefined()
    flow.close()
  })

  it('does not let a paused job continue, nor a pause that ends a held one', async () => {
    const { clock, hold, job, flow } = open()
    hold.set(true)
    job.pause()
    const passed = flow.pass(1)
    hold.set(false)
    await clock.advance(1000)
    expect(job.bytes).toBe(0)
    hold.set(true)
    job.resume()
    await clock.advance(1000)
    expect(job.bytes).toBe(0)
    hold.set(false)
    await passed
    expect(job.bytes).toBe(1)
    flow.close()
  })

  it('ends with the transfer', async () => {
    const { hold, job, flow, left } = open()
    hold.set(true)
    const passed = flow.pass(1)
    left.abort(new Error('left'))
    await expect(passed).rejects.toThrow('left')
    expect(job.bytes).toBe(0)
    flow.close()
  })
})
