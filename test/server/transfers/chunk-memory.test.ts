import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { expect, it, onTestFinished } from 'vitest'
import { ChunkMemory } from '../../../dist/server/transfers/chunk-memory.js'
import { eventually } from '../../helpers/eventually.js'

const MiB = 1024 ** 2

it('collects the young garbage of chunks early, and so seldom marks the whole heap for them', async () => {
  const kinds: number[] = []
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      kinds.push((entry as PerformanceEntry & { detail: { kind: number } }).detail.kind)
  })
  observer.observe({ entryTypes: ['gc'] })
  onTestFinished(() => observer.disconnect())
  const count = (kind: number) => kinds.filter((each) => each === kind).length
  const memory = new ChunkMemory()
  for (let passed = 0; passed < 512 * MiB; passed += MiB / 16) {
    memory.copied(Buffer.allocUnsafeSlow(MiB / 16).length)
  }
  // At the most a few with what else the heap has to do; of its own accord V8 would do it 16 times.
  await eventually('it was collected for each 16 MiB', () => count(constants.NODE_PERFORMANCE_GC_MINOR) >= 28)
  expect(count(constants.NODE_PERFORMANCE_GC_MAJOR)).toBeLessThan(4)
})
