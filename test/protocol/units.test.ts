import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatBytes,
  formatDuration,
  formatTimeLeft,
  parseBytesPerSecond,
  parseSize,
} from '../../dist/protocol/units.js'
import { check } from '../helpers/properties.js'

describe('a formatted number of bytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1023.7, '1.0 KiB'],
    [1024, '1.0 KiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [1024 ** 3 - 1, '1.0 GiB'],
    [1.5 * 1024 ** 3, '1.5 GiB'],
    [Number.MAX_SAFE_INTEGER, '8.0 PiB'],
  ])('for %d is %s', (bytes, words) => {
    expect(formatBytes(bytes)).toBe(words)
  })

  it('is below 1024 of its unit, and accurate to a twentieth of the unit', () => {
    const powers = { B: 0, KiB: 1, MiB: 2, GiB: 3, TiB: 4, PiB: 5 } as Record<string, number>
    const nearPowers = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: -100, max: 100 }))
    const sizes = fc.oneof(
      fc.maxSafeNat(),
      nearPowers.map(([power, offset]) => Math.max(0, 1024 ** power + offset)),
    )
    check(
      fc.property(sizes, (bytes) => {
        const [value, unit] = formatBytes(bytes).split(' ') as [string, string]
        const factor = 1024 ** powers[unit]!
        expect(Number(value)).toBeLessThan(1024)
        expect(Math.abs(Number(value) * factor - bytes)).toBeLessThanOrEqual(unit === 'B' ? 0 : 0.0501 * factor)
      }),
    )
  })
})

it('a duration is never formatted as 1000 ms or 60 s', () => {
  check(
    fc.property(fc.double({ min: 0, max: 1e8, noNaN: true }), (milliseconds) => {
      expect(formatDuration(milliseconds)).not.toMatch(/\b(1000 ms|60 s|60 min)/)
    }),
  )
  expect(formatDuration(999.7)).toBe('1 s')
  expect(formatDuration(59_999)).toBe('1 min')
  expect(formatDuration(3_599_999)).toBe('1 h')
})

it.each([
  [0, '0 s'],
  [326, '1 s'],
  [12_000, '12 s'],
  [59_001, '1 min'],
  [185_400, '3 min 6 s'],
])('the time left is formatted in whole seconds: %d ms as %s', (milliseconds, words) => {
  expect(formatTimeLeft(milliseconds)).toBe(words)
})

describe('a size that is read', () => {
  it.each([
    ['512', 512],
    ['5M', 5 * 1024 ** 2],
    ['5 GB', 5 * 1024 ** 3],
    ['1.5 GiB', 1.5 * 1024 ** 3],
    ['2 PiB', 2 * 1024 ** 5],
  ])('of %s is %d bytes', (text, bytes) => {
    expect(parseSize(text, 'x')).toBe(bytes)
  })

  it('may be a rate in the form in which one is shown', () => {
    for (const text of ['2 MiB/s', '2M', '2 MB / s']) expect(parseBytesPerSecond(text, 'x')).toBe(2 * 1024 ** 2)
    expect(() => parseBytesPerSecond('2 MiB/min', 'x')).toThrow('x must be a size such as')
    expect(() => parseSize('2 MiB/s', 'x')).toThrow('x must be a size such as')
  })
})
