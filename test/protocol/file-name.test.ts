import { expect, it } from 'vitest'
import { faultOfName } from '../../dist/protocol/file-name.js'

it.each([
  ['a'.repeat(240), undefined],
  ['a'.repeat(241), 'has a segment of more than 240 bytes'],
  ['ä'.repeat(120), undefined],
  [`${'ä'.repeat(120)}a`, 'has a segment of more than 240 bytes'],
  ['\u{1f600}'.repeat(60), undefined],
  ['\u20ac'.repeat(81), 'has a segment of more than 240 bytes'],
  [`${'a/'.repeat(511)}aa`, undefined],
  [`${'ä/'.repeat(341)}ä`, 'has more than 1024 bytes'],
])('the limits of a name are in bytes of UTF-8, as of %s', (name, fault) => {
  expect(faultOfName(name)).toBe(fault)
})
