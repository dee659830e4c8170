import { expect, it } from 'vitest'
import { formatTimeLeft } from '../../dist/protocol/units.js'

it.each([
  [0, '0 s'],
  [326, '1 s'],
  [12_000, '12 s'],
  [59_001, '1 min'],
  [185_400, '3 min 6 s'],
])('tells in whole seconds what is left: %d ms as %s', (milliseconds, words) => {
  expect(formatTimeLeft(milliseconds)).toBe(words)
})
