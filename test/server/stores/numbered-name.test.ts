import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { faultOfName } from '../../../dist/protocol/file-name.js'
import { findFreeNumber, numberedName } from '../../../dist/server/stores/numbered-name.js'
import { check } from '../../helpers/properties.js'

describe('a numbered name', () => {
  it('has its number before the extension of the last segment', () => {
    const names = ['a.txt', 'a', '.env', 'a.b/c', 'a/b.tar.gz', 'a.', 'v1.2 final', 'Ä.jpg']
    expect(names.map((name) => numberedName(name, 1))).toEqual(names)
    expect(names.map((name) => numberedName(name, 2))).toEqual([
      ...['a (2).txt', 'a (2)', '.env (2)', 'a.b/c (2)', 'a/b (2).tar.gz', 'a. (2)', 'v1.2 final (2)', 'Ä (2).jpg'],
    ])
  })

  it('is a name wherever the name without a number is one, however long it is', () => {
    const segment = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 240 })
    const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'))
    const long = fc.constantFrom('x'.repeat(240), `${'😀'.repeat(59)}.jpg`, `${'y/'.repeat(450)}${'z'.repeat(124)}`)
    check(
      fc.property(fc.oneof(name, long), fc.integer({ min: 1, max: 2_000_000 }), (name, n) => {
        fc.pre(faultOfName(name) === undefined)
        expect(faultOfName(numberedName(name, n))).toBeUndefined()
      }),
    )
  })
})

describe('the number of a free name', () => {
  it('is the lowest, whose name before is taken, after few questions', async () => {
    for (const count of [0, 1, 2, 3, 7, 8, 1000, 100_000]) {
      let questions = 0
      const isTaken = async (n: number) => {
        questions++
        return n <= count
      }
      expect(await findFreeNumber(isTaken)).toBe(count + 1)
      expect(questions).toBeLessThan(40)
    }
  })
})
