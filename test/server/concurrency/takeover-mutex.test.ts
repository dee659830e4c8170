import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Deferred, deferred } from '../../../dist/server/concurrency/deferred.js'
import { TakeoverMutex } from '../../../dist/server/concurrency/takeover-mutex.js'
import { checkAsync } from '../../helpers/properties.js'

const takenOver = new Error('A newer one came.')
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
const nextTick = () => new Promise(setImmediate)

describe('TakeoverMutex', () => {
  it('has at most one holder, also for concurrent requests', async () => {
    const mutex = new TakeoverMutex()
    let holders = 0
    let most = 0
    const work = async (signal: AbortSignal) => {
      most = Math.max(most, ++holders)
      if (!signal.aborted) await Promise.race([untilAborted(signal), nextTick()])
      holders--
    }
    await Promise.all(Array.from({ length: 20 }, () => mutex.run(null, takenOver, work)))
    expect({ most, holders, isBusy: mutex.isBusy }).toEqual({ most: 1, holders: 0, isBusy: false })
  })

  it('aborts the holder for a newer request, which runs once the holder has ended', async () => {
    const mutex = new TakeoverMutex()
    const order: string[] = []
    const first = mutex.run(null, takenOver, async (signal) => {
      await untilAborted(signal)
      order.push(`first ended: ${signal.reason.message}`)
    })
    await mutex.run(null, takenOver, async () => void order.push('second'))
    await first
    expect(order).toEqual(['first ended: A newer one came.', 'second'])
  })

  it('rejects all requests after it was closed, with the reason of the close', async () => {
    const mutex = new TakeoverMutex()
    const first = mutex.run(null, takenOver, untilAborted)
    await mutex.close(new Error('Later.'))
    await first
    await expect(mutex.run(null, takenOver, async () => {})).rejects.toThrow('Later.')
  })

  it('aborts its holder for each waiter, and runs each request exactly once, in any order of events', async () => {
    await checkAsync(
      fc.asyncProperty(fc.array(fc.constantFrom('run', 'run', 'end', 'fail'), { maxLength: 60 }), async (steps) => {
        const mutex = new TakeoverMutex()
        const ran: number[] = []
        const all: Promise<unknown>[] = []
        const holders: { signal: AbortSignal; work: Deferred<void> }[] = []
        let calls = 0
        const run = (own: number) =>
          mutex.run(null, takenOver, async (signal) => {
            expect(holders).toEqual([])
            ran.push(own)
            const work = deferred()
            holders.push({ signal, work })
            await work.promise.finally(() => holders.pop())
          })
        for (const step of steps) {
          if (step === 'run') all.push(run(calls++).catch(() => {}))
          else if (step === 'end') holders[0]?.work.resolve()
          else holders[0]?.work.reject(new Error('broken'))
          await nextTick()
          expect(mutex.isBusy).toBe(holders.length > 0)
          expect(holders[0]?.signal.aborted ?? false).toBe(ran.length < calls)
        }
        while (holders[0]) {
          holders[0].work.resolve()
          await nextTick()
        }
        await mutex.idle()
        await Promise.all(all)
        expect(ran.toSorted((a, b) => a - b)).toEqual([...Array(calls).keys()])
      }),
    )
  })
})
