import { describe, expect, it } from 'vitest'
import { systemClock } from '../../dist/server/clock.js'

describe('a timer of the clock of the system', () => {
  it('never fires before its time by the same clock', async () => {
    const early = await Promise.all(
      Array.from({ length: 400 }, async (_, index) => {
        const delayMs = 1 + index / 7
        const dueAt = systemClock.monotonicMs() + delayMs
        await new Promise<void>((resolve) => systemClock.after(delayMs, resolve))
        return Math.max(0, dueAt - systemClock.monotonicMs())
      }),
    )
    expect(Math.max(...early)).toBe(0)
  })

  it('does not fire after it was canceled', async () => {
    let fired = 0
    const cancel = systemClock.after(5, () => fired++)
    cancel()
    await new Promise<void>((resolve) => systemClock.after(20, resolve))
    expect(fired).toBe(0)
  })
})
