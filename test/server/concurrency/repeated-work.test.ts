import { describe, expect, it } from 'vitest'
import { deferred } from '../../../dist/server/concurrency/deferred.js'
import { repeatWork } from '../../../dist/server/concurrency/repeated-work.js'
import { TestClock } from '../../helpers/test-clock.js'

describe('repeated work', () => {
  it('is done one run at a time', async () => {
    const clock = new TestClock()
    const first = deferred()
    let runs = 0
    const repeated = repeatWork(
      async () => {
        runs++
        await first.promise
      },
      { clock, everyMs: 1000, onError: (error) => expect.unreachable(String(error)) },
    )
    await clock.advance(3000)
    const joined = repeated.run()
    expect(runs).toBe(1)
    first.resolve()
    await joined
    await clock.advance(1000)
    expect(runs).toBe(2)
    await repeated.close()
    await clock.advance(5000)
    expect(runs).toBe(2)
  })

  it('reports the first failure of each series', async () => {
    const clock = new TestClock()
    const errors: unknown[] = []
    const outcomes = ['down', 'down', null, 'down again', 'down again']
    const repeated = repeatWork(
      async () => {
        const outcome = outcomes.shift()
        if (outcome) throw new Error(outcome)
      },
      { clock, everyMs: 1000, onError: (error) => errors.push(error) },
    )
    await clock.advance(5000)
    expect(errors).toMatchObject([{ message: 'down' }, { message: 'down again' }])
    await repeated.close()
  })

  it('ends with the signal of a close, without a report', async () => {
    const clock = new TestClock()
    const repeated = repeatWork(
      (closing) => new Promise((_, reject) => closing.addEventListener('abort', () => reject(closing.reason))),
      { clock, everyMs: 1000, onError: (error) => expect.unreachable(String(error)) },
    )
    const run = repeated.run()
    await repeated.close()
    await run
  })
})
