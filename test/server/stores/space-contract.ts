import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Reservation, RoomHolder, SpaceReservations } from '../../../dist/server/stores/space.js'
import { checkAsync } from '../../helpers/properties.js'
import { ann, bob } from './stored-content.js'

/** The stored bytes of `ann`, and the free bytes of the disk: set by the suite, read by the tested store. */
export interface StoredFigures {
  used: number
  free: number
}

export interface SpaceLimitFigures {
  maxFileSize: number | null
  quota: number | null
}

/**
 * What every store of reservations owes its callers. `open` gives one without any, which reads the quota of `limits` each time.
 * `runs`: of the property.
 */
export function spaceContract(
  open: (limits: SpaceLimitFigures, stored: StoredFigures) => Promise<SpaceReservations>,
  { runs = 100 } = {},
) {
  const plenty = 10 ** 12

  /** With a quota of 100 bytes, or a disk of 100. */
  async function openBounded(by: 'quota' | 'disk') {
    const stored = { used: 0, free: by === 'disk' ? 100 : plenty }
    const space = await open({ maxFileSize: null, quota: by === 'quota' ? 100 : null }, stored)
    return { space, stored, refused: { code: by === 'quota' ? 'quota-exceeded' : 'disk-full' } }
  }

  describe('the maximum file size', () => {
    it('is enforced if configured', async () => {
      const limited = await open({ maxFileSize: 10, quota: null }, { used: 0, free: plenty })
      limited.checkSize(10)
      expect(() => limited.checkSize(11)).toThrow(expect.objectContaining({ code: 'file-too-large' }))
      const unlimited = await open({ maxFileSize: null, quota: null }, { used: 0, free: plenty })
      unlimited.checkSize(plenty)
    })
  })

  describe.each(['quota', 'disk'] as const)('space reservations that fill the %s', (by) => {
    it('are rejected above it, and accepted once another one is released or shrunk', async () => {
      const { space, refused } = await openBounded(by)
      const first = await space.reserve(ann, 60, 0, () => 0)
      await expect(space.reserve(ann, 41, 0, () => 0)).rejects.toMatchObject(refused)
      const second = await space.reserve(ann, 40, 0, () => 0)
      await expect(second.coverExactly(41)).rejects.toMatchObject(refused)
      first.shrink(50)
      await second.coverExactly(50)
      await expect(second.cover(51)).rejects.toMatchObject(refused)
      first.release()
      await second.cover(100)
    })

    it('never share space, for any number of concurrent requests', async () => {
      const { space, refused } = await openBounded(by)
      const asked = await Promise.allSettled(Array.from({ length: 10 }, () => space.reserve(ann, 30, 0, () => 0)))
      expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
      for (const result of asked) if (result.status === 'rejected') expect(result.reason).toMatchObject(refused)
    })

    it('have no effect after their release, which can be repeated', async () => {
      const { space } = await openBounded(by)
      const first = await space.reserve(ann, 50, 0, () => 0)
      const growing = first.coverExactly(60)
      first.release()
      first.release()
      await growing
      await first.cover(100)
      await first.coverExactly(100)
      first.shrink(100)
      await space.reserve(ann, 100, 0, () => 0)
    })

    it('evict an idle holder, and only if that is enough', async () => {
      const { space, refused } = await openBounded(by)
      const evicted: string[] = []
      const hold = async (name: string, bytes: number, isIdle: boolean) => {
        let reservation: Reservation | undefined
        const holder: RoomHolder = {
          isIdle,
          async evict() {
            evicted.push(name)
            reservation?.release()
          },
        }
        reservation = await space.reserve(ann, bytes, 0, () => 0, holder)
      }
      await hold('busy', 50, false)
      await hold('idle', 50, true)
      await expect(space.reserve(ann, 51, 0, () => 0)).rejects.toMatchObject(refused)
      expect(evicted).toEqual([])
      await space.reserve(ann, 50, 0, () => 0)
      expect(evicted).toEqual(['idle'])
    })

    it('have the larger size after two calls at the same time', async () => {
      const { space, refused } = await openBounded(by)
      const reservation = await space.reserve(ann, 0, 0, () => 0)
      await Promise.all([reservation.coverExactly(80), reservation.coverExactly(30)])
      await expect(space.reserve(ann, 21, 0, () => 0)).rejects.toMatchObject(refused)
      await space.reserve(ann, 20, 0, () => 0)
    })

    it('never exceed it in total, through any calls', async () => {
      const call = fc.record({
        what: fc.constantFrom(
          'reserve' as const,
          'cover' as const,
          'exactly' as const,
          'shrink' as const,
          'release' as const,
        ),
        which: fc.nat(3),
        bytes: fc.integer({ min: 0, max: 120 }),
      })
      await checkAsync(
        fc.asyncProperty(fc.array(fc.array(call, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), async (steps) => {
          const { space, refused } = await openBounded(by)
          const slots: { reservation: Reservation; atLeast: number }[] = []
          /** Bytes that the caller may rely on; the store may have reserved more. */
          const promised = () => slots.reduce((sum, { atLeast }) => sum + atLeast, 0)
          for (const step of steps) {
            // The calls of a step run at the same time, each on a reservation of its own.
            const busy = new Set<object>()
            await Promise.all(
              step.map(async ({ what, which, bytes }) => {
                if (what === 'reserve') {
                  if (slots.length >= 4) return
                  const reservation = await space.reserve(ann, bytes, 0, () => 0).catch(asRefused(refused))
                  if (reservation) slots.push({ reservation, atLeast: bytes })
                  return
                }
                const slot = slots[which]
                if (!slot || busy.has(slot)) return
                busy.add(slot)
                if (what === 'release') {
                  slot.reservation.release()
                  slot.atLeast = 0
                  slots.splice(slots.indexOf(slot), 1)
                } else if (what === 'shrink') {
                  slot.atLeast = Math.min(slot.atLeast, bytes)
                  slot.reservation.shrink(slot.atLeast)
                } else {
                  const grow = what === 'cover' ? slot.reservation.cover(bytes) : slot.reservation.coverExactly(bytes)
                  const isCovered = await grow.then(() => true).catch(asRefused(refused))
                  if (isCovered && slots.includes(slot)) slot.atLeast = Math.max(slot.atLeast, bytes)
                }
              }),
            )
            expect(promised()).toBeLessThanOrEqual(100)
          }
          for (const { reservation } of slots) reservation.release()
          // Nothing is booked for good, and nothing more than there is can be booked.
          const whole = await space.reserve(ann, 100, 0, () => 0)
          await expect(space.reserve(ann, 1, 0, () => 0)).rejects.toMatchObject(refused)
          whole.release()
        }),
        runs,
      )
    })
  })

  describe('the quota', () => {
    it('counts stored files, except the one that the publish replaces', async () => {
      const { space, stored, refused } = await openBounded('quota')
      stored.used = 70
      await expect(space.reserve(ann, 31, 0, () => 0)).rejects.toMatchObject({ ...refused, details: { used: 70 } })
      await space.reserve(ann, 80, 50, () => 0)
    })

    it('applies to each account separately', async () => {
      const { space } = await openBounded('quota')
      await space.reserve(ann, 100, 0, () => 0)
      await space.reserve(bob, 100, 0, () => 0)
    })

    it('is looked up each time: below a lowered one what was reserved stays, and nothing is added', async () => {
      const limits = { maxFileSize: null, quota: 100 as number | null }
      const space = await open(limits, { used: 0, free: plenty })
      const refused = { code: 'quota-exceeded' }
      const running = await space.reserve(ann, 60, 0, () => 0)
      limits.quota = 50
      await running.coverExactly(60)
      await expect(running.coverExactly(61)).rejects.toMatchObject(refused)
      await expect(running.cover(61)).rejects.toMatchObject(refused)
      await expect(space.reserve(ann, 1, 0, () => 0)).rejects.toMatchObject(refused)
      running.shrink(40)
      await space.reserve(ann, 10, 0, () => 0)
      limits.quota = null
      await running.cover(10_000)
      await space.reserve(ann, 10_000, 0, () => 0)
    })

    it('that an account gets is not exceeded by what it had reserved and still grows', async () => {
      const limits = { maxFileSize: null, quota: null as number | null }
      const space = await open(limits, { used: 0, free: plenty })
      const running = await space.reserve(ann, 60, 0, () => 0)
      limits.quota = 70
      await running.coverExactly(70)
      await expect(running.coverExactly(71)).rejects.toMatchObject({ code: 'quota-exceeded' })
      running.release()
      await space.reserve(ann, 70, 0, () => 0)
    })
  })

  describe('the room of an account', () => {
    it('is what the quota leaves of the disk, and nothing below it', async () => {
      const limits = { maxFileSize: null, quota: 100 as number | null }
      const stored = { used: 30, free: plenty }
      const space = await open(limits, stored)
      expect(await space.room(ann)).toEqual({ used: 30, reserved: 0, quota: 100, free: 70 })
      const reservation = await space.reserve(ann, 20, 0, () => 0)
      expect(await space.room(ann)).toEqual({ used: 30, reserved: 20, quota: 100, free: 50 })
      expect(await space.room(bob)).toEqual({ used: 0, reserved: 0, quota: 100, free: 100 })
      stored.free = 45
      expect(await space.room(ann)).toMatchObject({ free: 25 })
      limits.quota = 40
      expect(await space.room(ann)).toEqual({ used: 30, reserved: 20, quota: 40, free: 0 })
      limits.quota = null
      expect(await space.room(ann)).toEqual({ used: 30, reserved: 0, quota: null, free: 25 })
      stored.free = Number.POSITIVE_INFINITY
      expect(await space.room(ann)).toMatchObject({ free: null })
      reservation.release()
    })
  })

  describe('the free space of the disk', () => {
    it('includes the bytes that a reservation has already written', async () => {
      const { space, stored, refused } = await openBounded('disk')
      await space.reserve(ann, 60, 0, () => 50)
      // The disk has 50 bytes left, of which 10 are promised to the first.
      stored.free = 50
      await expect(space.reserve(bob, 41, 0, () => 0)).rejects.toMatchObject(refused)
      await space.reserve(bob, 40, 0, () => 0)
    })
  })
}

function asRefused(refused: object): (error: unknown) => undefined {
  return (error) => {
    expect(error).toMatchObject(refused)
  }
}
