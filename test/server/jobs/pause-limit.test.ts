import { describe, expect, it } from 'vitest'
import { Job } from '../../../dist/server/jobs/job.js'
import type { JobObserver } from '../../../dist/server/jobs/jobs.js'
import { limitPauses } from '../../../dist/server/jobs/pause-limit.js'
import { TestClock } from '../../helpers/test-clock.js'

describe('the time limit of a pause', () => {
  it('starts again after each resume', async () => {
    const { clock, job } = open(800)
    for (let round = 0; round < 4; round++) {
      job.pause()
      await clock.advance(799)
      job.resume()
      await clock.advance(10)
    }
    expect(job.signal.aborted).toBe(false)
    job.pause()
    await clock.advance(799)
    expect(job.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(job.signal.reason).toMatchObject({ code: 'stalled', details: { maxPauseMs: 800 } })
  })

  it('does not apply to a job that has ended, or to any job once the watch has ended', async () => {
    const { clock, job, end } = open(800)
    job.pause()
    job.end({ state: 'done' })
    const other = open(800)
    other.job.pause()
    other.end()
    await clock.advance(1000)
    await other.clock.advance(1000)
    end()
    expect([job.signal.aborted, other.job.signal.aborted]).toEqual([false, false])
  })
})

/** A job that runs, with a limit of its pauses. */
function open(maxPauseMs: number) {
  const clock = new TestClock()
  let observer: JobObserver = () => {}
  const observe = (given: JobObserver) => {
    observer = given
    return () => {
      observer = () => {}
    }
  }
  const plan = { id: crypto.randomUUID(), kind: 'upload', accountId: 1, account: 'user:ann' } as const
  const job = new Job(plan, (changed, change) => observer(changed, change), clock)
  const end = limitPauses({ observe }, maxPauseMs, clock)
  job.start()
  return { clock, job, end }
}
