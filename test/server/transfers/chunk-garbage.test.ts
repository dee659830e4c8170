import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { expect, it, onTestFinished } from 'vitest'
import { openProcessServices } from '../../../dist/server/process-services.js'
import { ChunkGarbage } from '../../../dist/server/transfers/chunk-garbage.js'
import { eventually } from '../../helpers/eventually.js'

const MiB = 1024 ** 2

it('young garbage of chunks is collected early, so that full collections are rare', async () => {
  const kinds: number[] = []
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      kinds.push((entry as PerformanceEntry & { detail: { kind: number } }).detail.kind)
  })
  observer.observe({ entryTypes: ['gc'] })
  onTestFinished(() => observer.disconnect())
  const count = (kind: number) => kinds.filter((each) => each === kind).length
  const garbage = new ChunkGarbage(openProcessServices().collectYoung)
  for (let passed = 0; passed < 512 * MiB; passed += MiB / 16) {
    garbage.add(Buffer.allocUnsafeSlow(MiB / 16).length)
  }
  // A few at most, for the rest of the heap: by default V8 would run 16.
  await eventually('it was collected for each 16 MiB', () => count(constants.NODE_PERFORMANCE_GC_MINOR) >= 28)
  expect(count(constants.NODE_PERFORMANCE_GC_MAJOR)).toBeLessThan(4)
})
