import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { JobKind, JobState } from '../../../dist/protocol/jobs.js'
import { Problem } from '../../../dist/protocol/problems.js'
import { Job } from '../../../dist/server/jobs/job.js'
import { Stopped } from '../../../dist/server/jobs/stop.js'
import { TestClock } from '../../helpers/test-clock.js'

describe('a job', () => {
  it('changes state only as the table of states allows', () => {
    const allowed = states.flatMap((from) =>
      states.filter((to) => move(jobIn(from), to)).map((to) => `${from} → ${to}`),
    )
    expect(allowed).toEqual([
      'waiting → running',
      'waiting → stopped',
      'waiting → failed',
      'running → paused',
      'running → interrupted',
      'running → committing',
      'running → done',
      'running → stopped',
      'running → failed',
      'paused → running',
      'paused → interrupted',
      'paused → committing',
      'paused → done',
      'paused → stopped',
      'paused → failed',
      'interrupted → running',
      'interrupted → stopped',
      'interrupted → failed',
      'committing → done',
      'committing → failed',
    ])
  })

  it('answers a stop only after the clean-ups', async () => {
    const job = jobIn('running')
    job.count(7)
    let answered = false
    const stop = job.stop('admin:admin').finally(() => {
      answered = true
    })
    expect(job.signal.reason).toBeInstanceOf(Stopped)
    await new Promise(setImmediate)
    expect(answered).toBe(false)
    job.end({ state: 'failed', error: new Problem('client-left', 'It left.') })
    expect(await stop).toMatchObject({ stoppedBy: 'admin:admin', bytesDiscarded: 7, cleanedUp: true })
    expect(job.record()).toMatchObject({ state: 'stopped', stoppedBy: 'admin:admin', error: null })
  })

  it('is unchanged by an end that its state does not allow, and can end in an allowed one', () => {
    for (const state of ['waiting', 'interrupted'] as const) {
      const job = jobIn(state)
      const before = job.record()
      expect(() => job.end({ state: 'done' })).toThrow(`A job that is ${state} cannot become done`)
      expect(job.isEnded).toBe(false)
      expect(job.record()).toEqual(before)
      job.end({ state: 'failed', error: new Problem('client-left', 'It left.') })
      expect(job.record()).toMatchObject({ state: 'failed', error: { code: 'client-left' } })
    }
  })

  it('never ends or is stopped before its start, even if the system clock is set back', async () => {
    const clock = new TestClock()
    const began = clock.now()
    const jobs = [jobIn('running', 'upload', clock), jobIn('interrupted', 'upload', clock), restored(began, clock)]
    clock.jump(-3_600_000)
    for (const job of jobs) {
      const stop = job.stop('user:ann')
      job.end({ state: 'failed', error: new Problem('client-left', 'It left.') })
      const { stoppedAt } = await stop
      const { startedAt, endedAt } = job.record()
      const [start, stopped, end] = [startedAt, stoppedAt, endedAt].map((time) => Date.parse(time!))
      expect(start).toBeGreaterThanOrEqual(began)
      expect(stopped).toBeGreaterThanOrEqual(start!)
      expect(end).toBeGreaterThanOrEqual(stopped!)
    }
  })

  it('returns the same receipt to repeated stops', async () => {
    const job = jobIn('running')
    const both = [job.stop('user:ann'), job.stop('admin:admin')]
    job.end({ state: 'failed', error: new Problem('client-left', 'It left.') })
    const [first, second] = await Promise.all(both)
    expect(second).toEqual(first)
    expect(await job.stop('admin:admin')).toEqual(first)
    expect(first?.stoppedBy).toBe('user:ann')
  })

  it('rejects a stop as too late while it is committing and when it is done', async () => {
    await expect(jobIn('done').stop('user:ann')).rejects.toMatchObject({ code: 'already-published' })
    const job = jobIn('committing')
    const stop = job.stop('user:ann')
    expect(job.signal.aborted).toBe(false)
    job.end({ state: 'done' })
    await expect(stop).rejects.toMatchObject({ code: 'already-published' })
    expect(job.record().stoppedBy).toBeNull()
  })

  it('returns a receipt for a stop during a publish that then fails', async () => {
    const job = jobIn('committing')
    const stop = job.stop('user:ann')
    job.end({ state: 'failed', error: new Problem('name-conflict', 'There is a folder.') })
    expect(await stop).toMatchObject({ stoppedBy: 'user:ann', job: { state: 'failed' } })
  })

  it('that has failed rejects a stop as not running', async () => {
    await expect(jobIn('failed').stop('user:ann')).rejects.toMatchObject({ code: 'not-running' })
  })

  it('cannot start to publish after a stop', () => {
    const job = jobIn('running')
    job.stop('user:ann').catch(() => {})
    expect(() => job.commit()).toThrow(Stopped)
    expect(job.state).toBe('running')
  })

  it('does not change after its end', () => {
    const job = jobIn('done')
    job.end({ state: 'failed', error: new Problem('client-left', 'It left.') })
    expect(job.record()).toMatchObject({ state: 'done', error: null })
  })

  it('suspends its waiters while it is paused, and resumes them when it ends', async () => {
    const job = jobIn('paused')
    let released = false
    const waits = job.unpaused.then(() => {
      released = true
    })
    await new Promise(setImmediate)
    expect(released).toBe(false)
    job.end({ state: 'failed', error: new Problem('stalled', 'It stalled.') })
    await waits
  })

  it.each(['import', 'query'] as const)('of kind %s cannot be paused', (kind) => {
    expect(() => jobIn('running', kind).pause()).toThrow(expect.objectContaining({ code: 'not-pausable' }))
  })

  it('is never at 100 % before its last byte', () => {
    const job = jobIn('running')
    job.totalBytes = 100_000
    job.count(99_999)
    expect(job.record()).toMatchObject({ bytes: 99_999, percent: 99.9 })
    job.count(1)
    expect(job.record().percent).toBe(100)
  })
})

const states: JobState[] = ['waiting', 'running', 'paused', 'interrupted', 'committing', 'done', 'stopped', 'failed']

function jobIn(state: JobState, kind: JobKind = 'upload', clock = new TestClock()): Job {
  const plan = { id: randomUUID(), kind, accountId: 1, account: 'user:ann', file: 'a', totalBytes: 1000 }
  const job = new Job(plan, () => {}, clock)
  if (state === 'waiting') return job
  job.start()
  if (state !== 'running') move(job, state)
  return job
}

/** True where the job took the step. */
function move(job: Job, to: JobState): boolean {
  const from = job.state
  const steps: Record<JobState, () => void> = {
    waiting: () => {},
    running: () => (from === 'paused' ? job.resume() : job.start()),
    paused: () => job.pause(),
    interrupted: () => job.interrupt(),
    committing: () => job.commit(),
    done: () => job.end({ state: 'done' }),
    stopped: () => {
      job.stop('user:ann').catch(() => {})
      job.end({ state: 'failed', error: new Problem('client-left', 'It left.') })
    },
    failed: () => job.end({ state: 'failed', error: new Problem('client-left', 'It left.') }),
  }
  try {
    steps[to]()
  } catch {
    return false
  }
  return job.state === to && from !== to
}

/** One that an earlier run of the server has begun at that time. */
function restored(startedAt: number, clock: TestClock): Job {
  const interrupted = { startedAt: new Date(startedAt), bytes: 5, paused: false }
  const plan = { id: randomUUID(), kind: 'upload' as const, accountId: 1, account: 'user:ann', interrupted }
  return new Job(plan, () => {}, clock)
}
