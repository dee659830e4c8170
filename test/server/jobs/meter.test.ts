import { describe, expect, it } from 'vitest'
import { Meter } from '../../../dist/server/jobs/meter.js'
import { TestClock } from '../../helpers/test-clock.js'

describe('the rate of a job', () => {
  it('is unknown at first, then an average of the last three seconds, and 0 without progress', () => {
    const clock = new TestClock()
    const meter = new Meter(clock)
    expect(meter.rate()).toBeNull()
    const rates = [1000, 1000, 1000, 1000, 1000, 0, 0, 0, 0].map((bytes) => {
      meter.count(bytes)
      clock.skip(1000)
      return meter.rate()
    })
    expect(rates).toEqual([1000, 1000, 1000, 1000, 1000, 667, 333, 0, 0])
  })

  it('is 0, not unknown, after a silence in which it was not read', () => {
    const clock = new TestClock()
    const meter = new Meter(clock)
    meter.count(1000)
    clock.skip(500)
    expect(meter.rate()).toBe(2000)
    clock.skip(10_000)
    expect(meter.rate()).toBe(0)
  })
})
