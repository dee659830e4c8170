import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Throttle } from '../../../dist/server/jobs/throttle.js'
import { check } from '../../helpers/properties.js'
import { TestClock } from '../../helpers/test-clock.js'

describe('a throttle', () => {
  it('admits at most the rate times the elapsed time, plus a burst of 200 ms', () => {
    const step = fc.record({ afterMs: fc.nat(2000), bytes: fc.integer({ min: 1, max: 5000 }), cancelled: fc.boolean() })
    check(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.array(step), (limit, steps) => {
        const clock = new TestClock()
        const throttle = new Throttle(limit, clock)
        const passes: { at: number; bytes: number }[] = []
        for (const { afterMs, bytes, cancelled } of steps) {
          clock.skip(afterMs)
          const booking = throttle.book(bytes)
          if (cancelled) booking.cancel()
          else passes.push({ at: clock.monotonicMs() + booking.waitMs, bytes })
        }
        for (const [first, { at: from }] of passes.entries()) {
          let bytes = 0
          for (const pass of passes.slice(first)) {
            // The bytes of the last one are paid for by the wait of the next.
            expect(bytes).toBeLessThanOrEqual((limit * (pass.at - from + 200)) / 1000 + 1e-6)
            bytes += pass.bytes
          }
        }
      }),
    )
  })

  it('ignores bookings made before a change of its limit', () => {
    const limits = fc.integer({ min: 1, max: 10_000 })
    check(
      fc.property(limits, limits, fc.array(fc.nat(100_000)), (before, after, booked) => {
        const throttle = new Throttle(before, new TestClock())
        for (const bytes of booked) throttle.book(bytes)
        throttle.bytesPerSecond = after
        expect(throttle.book(1).waitMs).toBe(0)
      }),
    )
  })
})
