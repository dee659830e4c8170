import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Coalescer } from '../../../dist/server/concurrency/coalescer.js'
import { deferred } from '../../../dist/server/concurrency/deferred.js'
import { checkAsync } from '../../helpers/properties.js'

const nextTick = () => new Promise(setImmediate)

describe('Coalescer', () => {
  it('shares one run between all calls made before it starts', async () => {
    const runs: number[][] = []
    const first = deferred()
    const coalescer = new Coalescer<number>(async (items) => {
      runs.push(items)
      await first.promise
    })
    const calls = [1, 2, 3].map((item) => coalescer.run(item))
    first.resolve()
    await Promise.all(calls)
    expect(runs).toEqual([[1], [2, 3]])
  })

  it('rejects the calls of the failed run only', async () => {
    const coalescer = new Coalescer<boolean>(async ([fails]) => {
      if (fails) throw new Error('broken')
    })
    const [failing, next] = [coalescer.run(true), coalescer.run(false)]
    await expect(failing).rejects.toThrow('broken')
    await expect(next).resolves.toBeUndefined()
    await coalescer.idle()
  })

  it('never runs concurrently, and answers each call in order by a run that started after it', async () => {
    const steps = fc.array(fc.constantFrom('call', 'call', 'end', 'fail'), { maxLength: 60 })
    await checkAsync(
      fc.asyncProperty(steps, async (actions) => {
        let running = deferred()
        let isRunning = false
        let expected = 0
        let calls = 0
        const settled: number[] = []
        const coalescer = new Coalescer<number>(async (items) => {
          expect(isRunning).toBe(false)
          for (const item of items) expect(item).toBe(expected++)
          isRunning = true
          running = deferred()
          await running.promise.finally(() => {
            isRunning = false
          })
        })
        for (const action of actions) {
          if (action === 'call') {
            const own = calls++
            const settle = () => settled.push(own)
            coalescer.run(own).then(settle, settle)
          } else if (action === 'end') running.resolve()
          else running.reject(new Error('broken'))
          await nextTick()
          expect(isRunning).toBe(settled.length < calls)
        }
        while (isRunning) {
          running.resolve()
          await nextTick()
        }
        await coalescer.idle()
        expect(settled).toEqual([...Array(calls).keys()])
      }),
    )
  })
})
