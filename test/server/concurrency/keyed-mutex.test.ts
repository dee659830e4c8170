import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Deferred, deferred } from '../../../dist/server/concurrency/deferred.js'
import { KeyedMutex } from '../../../dist/server/concurrency/keyed-mutex.js'
import { checkAsync } from '../../helpers/properties.js'

const nextTick = () => new Promise(setImmediate)

describe('KeyedMutex', () => {
  it('runs work of different keys concurrently', async () => {
    const mutex = new KeyedMutex()
    const held = deferred()
    const first = mutex.run('a', () => held.promise)
    await expect(mutex.run('b', async () => 'ran')).resolves.toBe('ran')
    held.resolve()
    await first
  })

  it('runs later work of a key after earlier work failed', async () => {
    const mutex = new KeyedMutex()
    const failing = mutex.run('a', () => Promise.reject(new Error('broken')))
    const next = mutex.run('a', async () => 'ran')
    await expect(failing).rejects.toThrow('broken')
    await expect(next).resolves.toBe('ran')
  })

  it('resolves without waiting for work that was queued later', async () => {
    const mutex = new KeyedMutex()
    const [first, second] = [deferred(), deferred()]
    const running = mutex.run('a', () => first.promise)
    const settled = mutex.settled('a')
    const later = mutex.run('a', () => second.promise)
    first.resolve()
    await settled
    second.resolve()
    await Promise.all([running, later, mutex.settled('b')])
  })

  it('has one holder a key, is first in, first out, and keeps no unused entry, however the work ends', async () => {
    const step = fc.record({
      do: fc.constantFrom('run', 'run', 'resolve', 'reject'),
      key: fc.constantFrom('a', 'b', 'c'),
    })
    await checkAsync(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const mutex = new KeyedMutex()
        const queued = new Map<string, number[]>([...'abc'].map((key) => [key, []]))
        const holders = new Map<string, { own: number; work: Deferred<void> }>()
        const all: Promise<unknown>[] = []
        let serial = 0
        const end = (key: string, how: 'resolve' | 'reject') => {
          const holder = holders.get(key)
          if (how === 'resolve') holder?.work.resolve()
          else holder?.work.reject(new Error('broken'))
        }
        for (const { do: action, key } of steps) {
          if (action === 'run') {
            const own = serial++
            queued.get(key)!.push(own)
            const ran = mutex.run(key, async () => {
              expect(holders.has(key)).toBe(false)
              expect(queued.get(key)!.shift()).toBe(own)
              const work = deferred()
              holders.set(key, { own, work })
              await work.promise.finally(() => holders.delete(key))
            })
            all.push(ran.catch((error) => expect(error).toEqual(new Error('broken'))))
          } else end(key, action)
          await nextTick()
          for (const each of 'abc') if (queued.get(each)!.length > 0) expect(holders.has(each)).toBe(true)
          expect(mutex.size).toBe(holders.size)
        }
        while (holders.size > 0) {
          for (const key of 'abc') end(key, 'resolve')
          await nextTick()
        }
        await Promise.all(all)
        expect([...queued.values()].flat()).toEqual([])
        expect(mutex.size).toBe(0)
      }),
    )
  })
})
