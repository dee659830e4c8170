import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Meter } from '../../../dist/server/jobs/meter.js'

describe('the rate of a job', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('is unknown at first, then that of the last three seconds, and 0 when nothing moves any more', () => {
    const meter = new Meter()
    expect(meter.rate()).toBeNull()
    const rates = [1000, 1000, 1000, 1000, 1000, 0, 0, 0, 0].map((bytes) => {
      meter.count(bytes)
      vi.advanceTimersByTime(1000)
      return meter.rate()
    })
    expect(rates).toEqual([1000, 1000, 1000, 1000, 1000, 667, 333, 0, 0])
  })

  it('is 0 and not unknown after a silence in which nobody asked', () => {
    const meter = new Meter()
    meter.count(1000)
    vi.advanceTimersByTime(500)
    expect(meter.rate()).toBe(2000)
    vi.advanceTimersByTime(10_000)
    expect(meter.rate()).toBe(0)
  })
})
