import { describe, expect, it, onTestFinished } from 'vitest'
import { Problem } from '../../../dist/protocol/problems.js'
import { type Identity, Revocation } from '../../../dist/server/auth/identity.js'
import { systemClock } from '../../../dist/server/clock.js'
import { deferred } from '../../../dist/server/concurrency/deferred.js'
import type { Job } from '../../../dist/server/jobs/job.js'
import type { NewJob } from '../../../dist/server/jobs/job-plan.js'
import { Jobs } from '../../../dist/server/jobs/jobs.js'
import { LocalSlots } from '../../../dist/server/jobs/local-slots.js'
import { type JobRun, runJob } from '../../../dist/server/jobs/run-job.js'
import type { Account } from '../../../dist/server/stores/accounts.js'
import { openJobHistory } from '../../../dist/server/stores/local/job-history.js'
import type { Slots } from '../../../dist/server/stores/slots.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

describe('the life of a job', () => {
  it('is claim, work, clean-ups in reverse order, end, release', async () => {
    const { jobs, run, steps } = await open()
    const { result } = await run(async (own) => {
      steps.push(`work on a job that is ${own.job.state}`)
      own.onEnd(async () => {
        await settled()
        steps.push(`close, while it is ${own.job.state}`)
      })
      own.onFailure(() => steps.push('remove'))
      return 'the result'
    })
    expect(await result).toBe('the result')
    expect(steps).toEqual([
      'running, 1 slots held',
      'work on a job that is running',
      'close, while it is running',
      'done, 1 slots held',
    ])
    expect(await jobs.holding('upload', 'user:ann')).toEqual([])
  })

  it('of failing work runs its clean-ups before its end, with one error for the job and the caller', async () => {
    const { run, steps } = await open()
    const { job, result } = await run(async (own) => {
      own.onEnd(() => steps.push('close'))
      own.onFailure((error) => steps.push(`remove because ${(error as Error).message}`))
      throw new Problem('stalled', 'No byte moved.')
    })
    await expect(result).rejects.toMatchObject({ code: 'stalled', details: { job: { id: job.id, state: 'failed' } } })
    expect(steps.slice(1)).toEqual(['remove because No byte moved.', 'close', 'failed, 1 slots held'])
    expect(job.record().error).toMatchObject({ code: 'stalled', message: 'No byte moved.' })
  })

  it('does not depend on a request: it lasts until its work has settled', async () => {
    const { run } = await open()
    const work = deferred<string>()
    const { job, result } = await run(() => work.promise)
    await settled()
    expect(job.state).toBe('running')
    work.resolve('late')
    expect(await result).toBe('late')
    expect(job.state).toBe('done')
  })

  it('with startsLater stays in state waiting with its slot until it is started', async () => {
    const { jobs, run } = await open({ startsLater: true })
    let own!: JobRun
    const work = deferred<void>()
    const { job, result } = await run((given) => {
      own = given
      return work.promise
    })
    expect(job.state).toBe('waiting')
    expect(await jobs.holding('upload', 'user:ann')).toEqual([job.record()])
    own.start()
    expect(job.state).toBe('running')
    work.resolve()
    await result
  })

  it('does not begin if the slot is rejected', async () => {
    const { jobs, run, steps } = await open()
    const work = deferred<void>()
    const { job, result } = await run(() => work.promise)
    await expect(run(async () => steps.push('never'))).rejects.toMatchObject({ code: 'job-running' })
    expect(jobs.unfinished()).toEqual([job])
    work.resolve()
    await result
    expect(steps).not.toContain('never')
  })

  it('ends without its work if it is stopped in the queue, and the slot goes to the next job', async () => {
    const { jobs, run, steps } = await open()
    const work = deferred<void>()
    const first = await run(() => work.promise)
    const second = run(async () => steps.push('never'), 60_000)
    const third = run(async () => 'third', 60_000)
    await settled()
    const [, queued] = jobs.unfinished()
    const receipt = queued!.stop('user:ann')
    await expect(second).rejects.toMatchObject({ code: 'job-stopped' })
    expect(await receipt).toMatchObject({ stoppedBy: 'user:ann', cleanedUp: true })
    work.resolve()
    await first.result
    expect(await (await third).result).toBe('third')
    expect(steps).not.toContain('never')
  })

  it('releases the slot to the next job in the queue only after its end', async () => {
    const { jobs, run } = await open()
    const cleaned = deferred<void>()
    const first = await run(async (own) => own.onEnd(() => cleaned.promise))
    const second = run(async () => first.job.state, 60_000)
    await settled()
    expect(jobs.isSlotWanted(first.job)).toBe(true)
    cleaned.resolve()
    expect(await (await second).result).toBe('done')
  })
})

describe('a stop', () => {
  it('is answered only after all clean-ups', async () => {
    const { run } = await open()
    const removed = deferred<void>()
    const { job, result } = await run(async (own) => {
      own.onFailure(() => removed.promise)
      await aborted(own.signal)
    })
    let isAnswered = false
    const receipt = job.stop('user:ann').finally(() => {
      isAnswered = true
    })
    await settled()
    expect({ isAnswered, state: job.state }).toEqual({ isAnswered: false, state: 'running' })
    removed.resolve()
    expect(await receipt).toMatchObject({ stoppedBy: 'user:ann', cleanedUp: true })
    await expect(result).rejects.toMatchObject({ code: 'job-stopped', details: { stoppedBy: 'user:ann' } })
  })

  it('takes precedence over a later result, and over a failure', async () => {
    const { run } = await open()
    for (const outcome of [async () => 'a result', () => Promise.reject(new Problem('stalled', 'No byte moved.'))]) {
      const removed: string[] = []
      const work = deferred<void>()
      const { job, result } = await run(async (own) => {
        own.onFailure(() => removed.push('all'))
        await work.promise
        return outcome()
      })
      const receipt = job.stop('user:ann')
      work.resolve()
      expect(await receipt).toMatchObject({ job: { state: 'stopped', error: null } })
      await expect(result).rejects.toMatchObject({ code: 'job-stopped' })
      expect(removed).toEqual(['all'])
    }
  })

  it('is too late after the commit, unless the publish then fails', async () => {
    const { jobs, run } = await open()
    const publish = async (outcome: () => Promise<void>) => {
      const { job, result } = await run(async (own) => {
        own.job.commit()
        await settled()
        return outcome()
      })
      const answer = jobs.stop(job.id, 'user:ann')
      return { answer, result, again: () => jobs.stop(job.id, 'user:eve') }
    }
    const published = await publish(async () => {})
    await expect(published.answer).rejects.toMatchObject({ code: 'already-published' })
    await published.result
    const broken = await publish(() => Promise.reject(new Problem('name-conflict', 'There is a folder.')))
    await expect(broken.result).rejects.toMatchObject({ code: 'name-conflict' })
    const receipt = await broken.answer
    expect(receipt).toMatchObject({ stoppedBy: 'user:ann', job: { state: 'failed', error: { code: 'name-conflict' } } })
    expect(await broken.again()).toEqual(receipt)
  })

  it('of a job that is failing gets a receipt with the reason, and the same one again', async () => {
    const { jobs, run } = await open()
    const removed = deferred<void>()
    const { job, result } = await run(async (own) => {
      own.onFailure(() => removed.promise)
      await aborted(own.signal)
    })
    job.abort(new Problem('stalled', 'No byte moved.'))
    const answer = jobs.stop(job.id, 'user:ann')
    removed.resolve()
    const receipt = await answer
    expect(receipt).toMatchObject({ stoppedBy: 'user:ann', job: { state: 'failed', error: { code: 'stalled' } } })
    await expect(result).rejects.toMatchObject({ code: 'stalled' })
    expect(await jobs.stop(job.id, 'user:eve')).toEqual(receipt)
  })

  it('is caused by a revoked session only while a request of that session is watched', async () => {
    const { run } = await open()
    const [watched, over] = [sessionOf(), sessionOf()]
    const { job, result } = await run(async (own) => {
      own.stopWhenRevoked(over.identity)()
      own.stopWhenRevoked(watched.identity)
      await aborted(own.signal)
    })
    over.revoke('admin:eve')
    await settled()
    expect(job.state).toBe('running')
    watched.revoke('admin:eve')
    await expect(result).rejects.toMatchObject({ code: 'job-stopped', details: { stoppedBy: 'admin:eve' } })
  })
})

describe('a failed clean-up', () => {
  it('prevents neither other clean-ups nor the end of the job; the receipt reports it', async () => {
    const { jobs, run, steps, errors } = await open()
    const { job, result } = await run(async (own) => {
      own.onEnd(() => steps.push('close'))
      own.onFailure(() => Promise.reject(new Error('The disk is gone.')))
      await aborted(own.signal)
    })
    expect(await job.stop('user:ann')).toMatchObject({ cleanedUp: false })
    await expect(result).rejects.toMatchObject({ code: 'job-stopped' })
    expect(steps).toContain('close')
    expect(errors).toEqual([`${job.id}: The disk is gone.`])
    expect(await jobs.holding('upload', 'user:ann')).toEqual([])
  })

  it('does not revert a completed job', async () => {
    const { run, errors } = await open()
    const { job, result } = await run(async (own) => {
      own.onEnd(() => Promise.reject(new Error('The disk is gone.')))
      return 'published'
    })
    expect(await result).toBe('published')
    expect(job.state).toBe('done')
    expect(errors.length).toBe(1)
  })
})

describe('a lost claim', () => {
  it('fails its job with the reason, and runs its clean-ups', async () => {
    const { run, lost, steps } = await open()
    const { job, result } = await run(async (own) => {
      own.onFailure(() => steps.push('remove'))
      await aborted(own.signal)
    })
    lost.abort(new Problem('shutting-down', 'Another server has taken the job.'))
    await expect(result).rejects.toMatchObject({ code: 'shutting-down' })
    expect(job.state).toBe('failed')
    expect(steps).toContain('remove')
  })
})

/** Jobs with one slot for each account. `steps` notes each change of a job's state, and how many slots are held at that time. */
async function open(plan: Partial<NewJob> = {}) {
  const history = await openJobHistory(await temporaryFolder(), (error) => expect.unreachable(String(error)))
  onTestFinished(() => history.close())
  const errors: string[] = []
  const onCleanUpError = (job: Job, error: unknown) => void errors.push(`${job.id}: ${(error as Error).message}`)
  const local = new LocalSlots({ history, lastSeq: history.lastSeq, jobsPerAccount: 1, clock: systemClock })
  const held = new Set<string>()
  const lost = new AbortController()
  const slots: Slots = {
    claim: async (job, wait) => {
      const claim = await local.claim(job, wait)
      held.add(job.id)
      return { ...claim, lost: lost.signal }
    },
    register: (job, seq) => local.register(job, seq),
    claimAgain: (job, wait, onWanted) => local.claimAgain(job, wait, onWanted),
    release: (job) => {
      held.delete(job.id)
      return local.release(job)
    },
    handOver: (job) => local.handOver(job),
    holding: (kind, account) => local.holding(kind, account),
    isWanted: (kind, account) => local.isWanted(kind, account),
  }
  const jobs = new Jobs(history, { slots, clock: systemClock, onCleanUpError })
  const steps: string[] = []
  jobs.observe((job, change) => {
    if (change === 'state') steps.push(`${job.state}, ${held.size} slots held`)
  })
  const owner = { accountId: 1, account: 'user:ann' }
  const run = <Result>(work: (run: JobRun) => Promise<Result>, waitMs = 0) => {
    const wait = { waitMs, signal: new AbortController().signal }
    return runJob(jobs.admit({ kind: 'upload', ...owner, ...plan }, wait), work)
  }
  return { jobs, run, steps, errors, lost }
}

function sessionOf(): { identity: Identity; revoke(by: string): void } {
  const revocation = new AbortController()
  const account = { id: 1, role: 'user', username: 'ann' } as Account
  return {
    identity: { account, sessionId: 's', revoked: revocation.signal },
    revoke: (by) => revocation.abort(new Revocation(by, 'The session was ended.')),
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

/** Resolves when everything that waits for nothing else has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
