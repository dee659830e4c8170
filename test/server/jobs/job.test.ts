import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { JobKind, JobState } from '../../../dist/protocol/jobs.js'
import { Problem } from '../../../dist/protocol/problems.js'
import { Job, Stopped } from '../../../dist/server/jobs/job.js'

describe('a job', () => {
  it('becomes what the table of states allows, and nothing else', () => {
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

  it('answers a stop only once its owner has cleaned up', async () => {
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

  it('gives the same receipt to whoever stops it again', async () => {
    const job = jobIn('running')
    const both = [job.stop('user:ann'), job.stop('admin:admin')]
    job.end({ state: 'failed', error: new Problem('client-left', 'It left.') })
    const [first, second] = await Promise.all(both)
    expect(second).toEqual(first)
    expect(await job.stop('admin:admin')).toEqual(first)
    expect(first?.stoppedBy).toBe('user:ann')
  })

  it('that is done, or publishes, refuses a stop as too late', async () => {
    await expect(jobIn('done').stop('user:ann')).rejects.toMatchObject({ code: 'already-published' })
    const job = jobIn('committing')
    const stop = job.stop('user:ann')
    expect(job.signal.aborted).toBe(false)
    job.end({ state: 'done' })
    await expect(stop).rejects.toMatchObject({ code: 'already-published' })
    expect(job.record().stoppedBy).toBeNull()
  })

  it('gives a receipt after all when the publish fails that a stop came too late for', async () => {
    const job = jobIn('committing')
    const stop = job.stop('user:ann')
    job.end({ state: 'failed', error: new Problem('name-conflict', 'There is a folder.') })
    expect(await stop).toMatchObject({ stoppedBy: 'user:ann', job: { state: 'failed' } })
  })

  it('that failed refuses a stop as not running', async () => {
    await expect(jobIn('failed').stop('user:ann')).rejects.toMatchObject({ code: 'not-running' })
  })

  it('cannot begin to publish once it was stopped', () => {
    const job = jobIn('running')
    job.stop('user:ann').catch(() => {})
    expect(() => job.commit()).toThrow(Stopped)
    expect(job.state).toBe('running')
  })

  it('keeps its end, whatever else comes', () => {
    const job = jobIn('done')
    job.end({ state: 'failed', error: new Problem('client-left', 'It left.') })
    expect(job.record()).toMatchObject({ state: 'done', error: null })
  })

  it('holds what waits for it while it is paused, and lets go when it ends', async () => {
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

function jobIn(state: JobState, kind: JobKind = 'upload'): Job {
  const plan = { id: randomUUID(), kind, accountId: 1, account: 'user:ann', file: 'a', totalBytes: 1000 }
  const job = new Job(plan, () => {})
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
