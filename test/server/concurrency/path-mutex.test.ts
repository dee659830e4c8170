import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Deferred, deferred } from '../../../dist/server/concurrency/deferred.js'
import { PathMutex } from '../../../dist/server/concurrency/path-mutex.js'
import { checkAsync } from '../../helpers/properties.js'

const nextTick = () => new Promise(setImmediate)

describe('PathMutex', () => {
  it('runs work of names, of folders beside each other, and reads side by side', async () => {
    const mutex = new PathMutex()
    const held = deferred()
    const running = [mutex.run(['a/b'], () => held.promise), mutex.run(['c/'], () => held.promise)]
    for (const path of ['a/c', 'd/', 'a/b/c']) await expect(mutex.run([path], async () => 'ran')).resolves.toBe('ran')
    await expect(mutex.read('a/d', async () => 'ran')).resolves.toBe('ran')
    held.resolve()
    await Promise.all(running)
  })

  it('runs later work of a path whose earlier work has failed', async () => {
    const mutex = new PathMutex()
    const failing = mutex.run(['a/'], () => Promise.reject(new Error('broken')))
    const next = mutex.run(['a/b'], async () => 'ran')
    await expect(failing).rejects.toThrow('broken')
    await expect(next).resolves.toBe('ran')
    expect(mutex.size).toBe(0)
  })

  it('lets changes of a folder, not of a name, wait for reads', async () => {
    const mutex = new PathMutex()
    const held = deferred()
    const reading = mutex.read('a/', () => held.promise)
    await expect(mutex.run(['a/b'], async () => 'ran')).resolves.toBe('ran')
    let ran = false
    const moving = mutex.run(['a/', 'c/'], async () => {
      ran = true
    })
    await nextTick()
    expect(ran).toBe(false)
    held.resolve()
    await Promise.all([reading, moving])
  })

  it('never has two holders in conflict, is first come, first served, and keeps nothing', async () => {
    const path = fc.constantFrom('a', 'b', 'd/x', 'd/y', 'd/e/x', 'd/', 'd/e/', 'f/', '')
    const step = fc.oneof(
      fc.record({ do: fc.constant('run' as const), paths: fc.uniqueArray(path, { minLength: 1, maxLength: 3 }) }),
      fc.record({ do: fc.constantFrom('resolve' as const, 'reject' as const), at: fc.nat(5) }),
    )
    await checkAsync(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const mutex = new PathMutex()
        const waiting: { own: number; keys: string[] }[] = []
        const holders: { own: number; keys: string[]; work: Deferred<void> }[] = []
        const all: Promise<unknown>[] = []
        let serial = 0
        for (const each of steps) {
          if (each.do === 'run') {
            const own = serial++
            const keys = each.paths.map((key) => `user/ann/${key}`)
            waiting.push({ own, keys })
            const ran = mutex.run(keys, async () => {
              const earlier = [...holders, ...waiting].filter((other) => other.own < own && conflicts(keys, other.keys))
              expect(earlier).toEqual([])
              waiting.splice(
                waiting.findIndex((entry) => entry.own === own),
                1,
              )
              const work = deferred()
              const holder = { own, keys, work }
              holders.push(holder)
              await work.promise.finally(() => holders.splice(holders.indexOf(holder), 1))
            })
            all.push(ran.catch((error) => expect(error).toEqual(new Error('broken'))))
          } else if (each.do === 'resolve') holders[each.at]?.work.resolve()
          else holders[each.at]?.work.reject(new Error('broken'))
          await nextTick()
          // Whatever no earlier work keeps back runs.
          for (const { own, keys } of waiting) {
            const before = [...holders, ...waiting].filter((other) => other.own < own)
            expect(before.some((other) => conflicts(keys, other.keys))).toBe(true)
          }
        }
        while (holders.length > 0) {
          for (const { work } of holders) work.resolve()
          await nextTick()
        }
        await Promise.all(all)
        expect([waiting, mutex.size]).toEqual([[], 0])
      }),
    )
  })
})

function conflicts(some: string[], others: string[]): boolean {
  return some.some((one) => others.some((other) => one === other || isOver(one, other) || isOver(other, one)))
}

/** Whether a folder is over a path, or over a name that is a prefix of its own. */
function isOver(folder: string, path: string): boolean {
  return folder.endsWith('/') && (path.startsWith(folder) || folder.startsWith(path))
}
