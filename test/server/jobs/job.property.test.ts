import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JobState, Receipt } from '../../../dist/protocol/jobs.js'
import { Problem } from '../../../dist/protocol/problems.js'
import { Job } from '../../../dist/server/jobs/job.js'
import { mayBecome } from '../../../dist/server/jobs/job-states.js'
import { checkAsync } from '../../helpers/properties.js'
import { TestClock } from '../../helpers/test-clock.js'

const actions = [
  'start',
  'pause',
  'resume',
  'interrupt',
  'limit',
  'count',
  'commit',
  'stop',
  'stop',
  'abort',
  'done',
  'failed',
] as const
type Action = (typeof actions)[number]

/** Calls that an owner makes only in allowed states: the job does not check them. */
const isCareful: readonly Action[] = ['start', 'interrupt', 'count']

/** The documented behaviour of a job, in its simplest form. */
class JobModel {
  state: JobState = 'waiting'
  wasPaused = false
  bytes = 0
  limit: number | null = null
  /** The first stop or fault, whichever came first. */
  cause: 'stop' | 'fault' | null = null
  /** Whether a stop came before the end. */
  isStopRequested = false
  hasStarted = false

  /** Whether the action is allowed; where it is, the model has taken it. */
  take(action: Action): boolean {
    const { state } = this
    switch (action) {
      case 'start':
        if (state !== 'waiting' && state !== 'interrupted') return false
        this.state = this.wasPaused ? 'paused' : 'running'
        this.wasPaused = false
        this.hasStarted = true
        return true
      case 'pause':
        if (state !== 'running' && state !== 'paused') return false
        this.state = 'paused'
        return true
      case 'resume':
        if (state === 'interrupted' && this.wasPaused) this.wasPaused = false
        else if (state === 'paused' || state === 'running') this.state = 'running'
        else return false
        return true
      case 'interrupt':
        if (state !== 'running' && state !== 'paused') return false
        this.wasPaused = state === 'paused'
        this.state = 'interrupted'
        return true
      case 'limit':
        if (this.isEnded) return false
        this.limit = 1000
        return true
      case 'count':
        if (state !== 'running') return false
        this.bytes += 10
        return true
      case 'commit':
        if (this.cause !== null || (state !== 'running' && state !== 'paused')) return false
        this.state = 'committing'
        return true
      case 'stop':
        if (this.isEnded) return true
        this.isStopRequested = true
        if (state !== 'committing') this.cause ??= 'stop'
        return true
      case 'abort':
        this.cause ??= 'fault'
        return true
      case 'done':
        if (!mayBecome[state].includes('done')) return false
        this.state = 'done'
        return true
      case 'failed':
        this.state = this.cause === 'stop' ? 'stopped' : 'failed'
        return true
    }
  }

  get isEnded(): boolean {
    return this.state === 'done' || this.state === 'stopped' || this.state === 'failed'
  }
}

describe('a job', () => {
  it('follows the table of states, ends once, and counts bytes correctly, in any order of calls', async () => {
    await checkAsync(fc.asyncProperty(fc.array(fc.constantFrom(...actions), { maxLength: 40 }), follow), 100)
  })
})

async function follow(steps: Action[]): Promise<void> {
  const clock = new TestClock()
  const model = new JobModel()
  const states: JobState[] = ['waiting']
  const plan = { id: crypto.randomUUID(), kind: 'upload', accountId: 1, account: 'user:ann', totalBytes: 100 } as const
  const onChange = (changed: Job, change: string) => {
    if (change === 'state' && changed.state !== states.at(-1)) states.push(changed.state)
  }
  const job = new Job(plan, onChange, clock)
  const stops: Promise<Receipt | Problem>[] = []
  for (const action of [...steps, 'failed' as const]) {
    clock.skip(7)
    // Its owner calls nothing more of a job that has ended, and starts or interrupts one only where that makes sense.
    const isOwners = ['start', 'interrupt', 'count', 'commit', 'done', 'failed', 'abort'].includes(action)
    if (isOwners && model.isEnded) continue
    const before = { ...model }
    const isAllowed = model.take(action)
    if (!isAllowed && (isCareful.includes(action) || (action === 'commit' && before.state === 'committing'))) {
      Object.assign(model, before)
      continue
    }
    expect({ action, before: before.state, done: perform(job, action, stops) }).toMatchObject({ done: isAllowed })
    expect(job.record()).toMatchObject({ state: model.state, bytes: model.bytes, rateLimit: model.limit })
    const { startedAt, endedAt, rate, percent, stoppedBy, error } = job.record()
    expect(startedAt !== null).toBe(model.hasStarted)
    expect(endedAt !== null).toBe(model.isEnded)
    if (startedAt && endedAt) expect(Date.parse(endedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt))
    if (model.state !== 'running' && model.state !== 'paused') expect(rate).toBeNull()
    expect(percent).toBeLessThanOrEqual(100)
    if (model.state === 'done') expect(stoppedBy).toBeNull()
    if (model.state === 'stopped') expect({ stoppedBy, error }).toEqual({ stoppedBy: 'user:ann', error: null })
    expect(error !== null).toBe(model.state === 'failed')
  }
  for (const [index, state] of states.entries()) {
    if (index > 0) expect(mayBecome[states[index - 1]!]).toContain(state)
  }
  expect(states.filter((state) => ['done', 'stopped', 'failed'].includes(state))).toHaveLength(1)
  const answers = await Promise.all(stops)
  for (const answer of answers) {
    if (model.state === 'done') expect(answer).toMatchObject({ code: 'already-published' })
    // Also where a fault came before it: nothing was published.
    else if (model.isStopRequested) expect(answer).toMatchObject({ stoppedBy: 'user:ann', bytesDiscarded: model.bytes })
    else expect(answer).toMatchObject({ code: 'not-running' })
  }
}

/** True where the job took the step. */
function perform(job: Job, action: Action, stops: Promise<Receipt | Problem>[]): boolean {
  const problem = new Problem('client-left', 'It left.')
  const steps: Record<Action, () => void> = {
    start: () => job.start(),
    pause: () => job.pause(),
    resume: () => job.resume(),
    interrupt: () => job.interrupt(),
    limit: () => job.limitRate(1000),
    count: () => job.count(10),
    commit: () => job.commit(),
    stop: () => void stops.push(job.stop('user:ann').catch((error) => error)),
    abort: () => job.abort(problem),
    done: () => job.end({ state: 'done' }),
    failed: () => job.end({ state: 'failed', error: problem }),
  }
  try {
    steps[action]()
    return true
  } catch {
    return false
  }
}
