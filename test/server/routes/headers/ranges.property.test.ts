import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRange } from '../../../../dist/server/routes/headers/ranges.js'
import { check } from '../../../helpers/properties.js'

const size = fc.nat(40)
const position = fc.oneof(fc.nat(50).map(String), fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String))
const absent = fc.constant('')

describe('a byte range', () => {
  it('selects the bytes that RFC 9110 section 14.1.2 specifies, or none (416), or is ignored', () => {
    const either = fc.oneof(position, absent)
    check(
      fc.property(size, either, either, (size, first, last) => {
        expect(outcome(`bytes=${first}-${last}`, size)).toEqual(expected(size, first, last))
      }),
      2000,
    )
  })

  it('of another form is ignored', () => {
    const other = fc.oneof(
      fc.string(),
      fc.tuple(position, position).map(([a, b]) => `bytes=${a}-${b},${b}-`),
      fc.tuple(position, position).map(([a, b]) => `lines=${a}-${b}`),
      fc.constantFrom('bytes=1-2-3', 'bytes=+1-2', 'bytes=1.0-2', 'bytes 1-2', 'bytes=0x1-2', 'bytes=-', 'bytes=１-'),
    )
    check(
      fc.property(size, other, (size, header) => {
        fc.pre(!/^bytes=\s*\d*-\d*\s*$/i.test(header) || header === 'bytes=-')
        expect(outcome(header, size)).toBe('all')
      }),
      500,
    )
  })
})

/** The positions of the bytes, by looking at each of them. */
function expected(size: number, first: string, last: string): number[] | 'all' | 416 {
  const all = Array.from({ length: size }, (_, at) => at)
  if (size === 0 || (first === '' && last === '')) return 'all'
  // RFC 9110: "An int-range is invalid if the last-pos value is present and less than first-pos."
  if (first !== '' && last !== '' && BigInt(last) < BigInt(first)) return 'all'
  const selected = all.filter((at) => {
    if (first === '') return BigInt(size - at) <= BigInt(last)
    return BigInt(at) >= BigInt(first) && (last === '' || BigInt(at) <= BigInt(last))
  })
  return selected.length === 0 ? 416 : selected
}

function outcome(header: string, size: number): number[] | 'all' | 416 {
  try {
    const range = parseRange(header, size)
    if (!range) return 'all'
    return Array.from({ length: range.end - range.start }, (_, index) => range.start + index)
  } catch (error) {
    expect(error).toMatchObject({ code: 'range-not-satisfiable', details: { size } })
    return 416
  }
}
