import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QueueFullError, type Release, Semaphore } from '../../../dist/server/concurrency/semaphore.js'
import { checkAsync } from '../../helpers/properties.js'

/** Queues requests of these keys, and returns the order in which they are admitted, one at a time. */
async function orderOf(semaphore: Semaphore, keys: (string | string[])[], labels = keys.map(String)) {
  const order: string[] = []
  const first = semaphore.tryAcquire('occupied')!
  const all = keys.map((key, index) =>
    semaphore.run(key, undefined, async () => {
      order.push(labels[index]!)
    }),
  )
  first()
  await Promise.all(all)
  return order
}

describe('Semaphore', () => {
  it('admits keys round robin, and each key in the order of arrival', async () => {
    const semaphore = new Semaphore({ slots: 1 })
    const order = await orderOf(semaphore, ['a', 'a', 'a', 'b', 'b', 'c'], ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'])
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  })

  it('alternates between the first keys of paths before the keys below them', async () => {
    const semaphore = new Semaphore({ slots: 1 })
    const keys = [
      ['x', 'a'],
      ['x', 'b'],
      ['x', 'c'],
      ['y', 'd'],
    ]
    expect(await orderOf(semaphore, keys)).toEqual(['x,a', 'y,d', 'x,b', 'x,c'])
  })

  it('skips a key that holds its share, and admits it once it has released', async () => {
    const semaphore = new Semaphore({ slots: 3, slotsPerKey: 1 })
    const a = semaphore.tryAcquire('a')!
    expect(semaphore.tryAcquire('a')).toBeUndefined()
    const again = semaphore.acquire('a')
    expect(semaphore.tryAcquire('b')).toBeDefined()
    expect(semaphore.waiting('a')).toBe(1)
    a()
    await again
    expect(semaphore.held()).toBe(2)
  })

  it('never lets a new request overtake the queue of its key', async () => {
    const semaphore = new Semaphore({ slotsPerKey: 1 })
    const first = semaphore.tryAcquire('a')!
    const second = semaphore.acquire('a')
    first()
    expect(semaphore.tryAcquire('a')).toBeUndefined()
    ;(await second)()
    expect(semaphore.tryAcquire('a')).toBeDefined()
  })

  it('removes a waiter from the queue when its signal aborts, and rejects it with the signal’s reason', async () => {
    const semaphore = new Semaphore({ slots: 1 })
    const first = semaphore.tryAcquire('a')!
    const controller = new AbortController()
    const waiting = semaphore.acquire('b', controller.signal)
    controller.abort(new Error('left'))
    await expect(waiting).rejects.toThrow('left')
    expect(semaphore.waiting()).toBe(0)
    first()
    expect(semaphore.held()).toBe(0)
    await expect(semaphore.acquire('b', controller.signal)).rejects.toThrow('left')
  })

  it('rejects waiters above its limits, in all and for one key', async () => {
    const semaphore = new Semaphore({ slots: 1, maxWaiting: 3, maxWaitingPerKey: 2 })
    semaphore.tryAcquire('a')
    semaphore.acquire('a')
    semaphore.acquire('a')
    await expect(semaphore.acquire('a')).rejects.toBeInstanceOf(QueueFullError)
    semaphore.acquire('b')
    await expect(semaphore.acquire('c')).rejects.toBeInstanceOf(QueueFullError)
  })

  it('releases a slot once, however often release is called, and also if the work throws', async () => {
    const semaphore = new Semaphore({ slots: 2 })
    const a = semaphore.tryAcquire('a')!
    semaphore.tryAcquire('b')
    a()
    a()
    expect(semaphore.held()).toBe(1)
    const failing = semaphore.run('a', undefined, () => Promise.reject(new Error('broken')))
    await expect(failing).rejects.toThrow('broken')
    expect(semaphore.held()).toBe(1)
  })

  it('keeps its limits, loses no slot and starves no key in any order of events', async () => {
    const step = fc.record({
      do: fc.constantFrom('acquire', 'release', 'abort'),
      key: fc.constantFrom('a', 'b', 'c'),
      pick: fc.nat(20),
    })
    await checkAsync(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 80 }), async (slots, steps) => {
        const semaphore = new Semaphore({ slots, slotsPerKey: 2 })
        const held: { key: string; release: Release }[] = []
        const waiting: { key: string; controller: AbortController }[] = []
        const arrived = new Map<string, number[]>()
        let serial = 0
        for (const { do: action, key, pick } of steps) {
          if (action === 'acquire') {
            const controller = new AbortController()
            const entry = { key, controller }
            const own = serial++
            arrived.set(key, [...(arrived.get(key) ?? []), own])
            waiting.push(entry)
            semaphore.acquire(key, controller.signal).then(
              (release) => {
                expect(arrived.get(key)?.shift()).toBe(own)
                waiting.splice(waiting.indexOf(entry), 1)
                held.push({ key, release })
              },
              () =>
                arrived.set(
                  key,
                  arrived.get(key)!.filter((other) => other !== own),
                ),
            )
          } else if (action === 'release' && held.length > 0) {
            held.splice(pick % held.length, 1)[0]!.release()
          } else if (action === 'abort' && waiting.length > 0) {
            waiting.splice(pick % waiting.length, 1)[0]!.controller.abort(new Error('left'))
          }
          await new Promise(setImmediate)
          expect(semaphore.held()).toBe(held.length)
          expect(held.length).toBeLessThanOrEqual(slots)
          for (const each of ['a', 'b', 'c']) {
            expect(held.filter((holder) => holder.key === each).length).toBeLessThanOrEqual(2)
          }
          expect(semaphore.waiting()).toBe(waiting.length)
          const couldRun = waiting.some((waiter) => semaphore.held(waiter.key) < 2)
          expect(couldRun && held.length < slots).toBe(false)
        }
        while (held.length > 0) {
          held.pop()!.release()
          await new Promise(setImmediate)
        }
        expect(waiting).toEqual([])
      }),
    )
  })
})
