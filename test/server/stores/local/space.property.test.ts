import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LocalSpace } from '../../../../dist/server/stores/local/space.js'
import type { Reservation } from '../../../../dist/server/stores/space.js'
import { checkAsync } from '../../../helpers/properties.js'

const ann = { role: 'user', username: 'ann' } as const
const bob = { role: 'user', username: 'bob' } as const

interface Held {
  space: typeof ann | typeof bob
  booked: number
  written: number
  reservation: Reservation
}

const bytes = fc.nat(120)
const step = fc.oneof(
  fc.record({ do: fc.constant('reserve' as const), which: fc.nat(1), bytes }),
  fc.record({ do: fc.constant('write' as const), which: fc.nat(10), bytes }),
  fc.record({ do: fc.constant('cover' as const), which: fc.nat(10), bytes }),
  fc.record({ do: fc.constant('shrink' as const), which: fc.nat(10), bytes }),
  fc.record({ do: fc.constant('release' as const), which: fc.nat(10), bytes: fc.nat(1) }),
  fc.record({ do: fc.constant('publish' as const), which: fc.nat(10), bytes: fc.nat(1) }),
)

describe('space reservations', () => {
  it('never exceed the quota or the disk in total, and are rejected only if they would', async () => {
    const limits = fc.record({ quota: fc.integer({ min: 50, max: 400 }), disk: fc.integer({ min: 50, max: 600 }) })
    await checkAsync(
      fc.asyncProperty(limits, fc.array(step, { maxLength: 40 }), async ({ quota, disk }, steps) => {
        const stored = new Map([ann, bob].map((space) => [space, 0]))
        let held: Held[] = []
        const usedOfDisk = () => sum([...stored.values()]) + sum(held.map(({ written }) => written))
        const space = new LocalSpace(
          {
            freeBytes: async () => disk - usedOfDisk(),
            freed: async () => {},
            usage: async ({ username }: { username: string }) => stored.get(username === 'ann' ? ann : bob)!,
          } as never,
          { maxFileSize: null, quotaOf: async () => quota },
        )
        /** Whether there is room for a reservation of so many bytes. */
        const fits = (of: typeof ann | typeof bob, bytes: number, own?: Held) => {
          const others = held.filter((one) => one !== own)
          const ofAccount = sum(others.filter((one) => one.space === of).map(({ booked }) => booked))
          const promised = sum(others.map(({ booked, written }) => Math.max(0, booked - written)))
          const unwritten = Math.max(0, bytes - (own?.written ?? 0))
          return stored.get(of)! + ofAccount + bytes <= quota && promised + unwritten <= disk - usedOfDisk()
        }
        for (const { do: action, which, bytes } of steps) {
          if (action === 'reserve') {
            const of = which === 0 ? ann : bob
            const one = { space: of, booked: bytes, written: 0 } as Held
            const fitsNow = fits(of, bytes)
            const reservation = await space.reserve(of, bytes, 0, () => one.written).catch(refused)
            expect({ bytes, isHeld: reservation !== undefined }).toEqual({ bytes, isHeld: fitsNow })
            if (reservation) held.push(Object.assign(one, { reservation }))
            continue
          }
          const one = held[which]
          if (!one) continue
          if (action === 'write') one.written = Math.min(one.booked, one.written + bytes)
          else if (action === 'cover') {
            const fitsNow = bytes <= one.booked || fits(one.space, bytes, one)
            const covered = await one.reservation.coverExactly(bytes).then(() => true, refused)
            expect({ bytes, covered: covered === true }).toEqual({ bytes, covered: fitsNow })
            if (covered) one.booked = Math.max(one.booked, bytes)
          } else if (action === 'shrink') {
            one.booked = Math.max(one.written, Math.min(one.booked, bytes))
            one.reservation.shrink(one.booked)
          } else {
            held = held.filter((other) => other !== one)
            if (action === 'publish') stored.set(one.space, stored.get(one.space)! + one.written)
            one.reservation.release()
            // Released once: it cannot be booked again.
            one.reservation.release()
            await one.reservation.coverExactly(1000).catch(refused)
          }
          for (const of of [ann, bob]) {
            const booked = sum(held.filter(({ space }) => space === of).map(({ booked }) => booked))
            expect(stored.get(of)! + booked).toBeLessThanOrEqual(quota)
          }
          expect(usedOfDisk()).toBeLessThanOrEqual(disk)
        }
      }),
      200,
    )
  })
})

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function refused(error: { code?: string }): undefined {
  expect(['quota-exceeded', 'disk-full']).toContain(error.code)
}
