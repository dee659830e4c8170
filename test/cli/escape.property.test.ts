import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { visible, visibleJson, visibleLines } from '../../dist/cli/escape.js'
import { check } from '../helpers/properties.js'

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '\u001b',
      '[',
      '2',
      'J',
      '\u009b',
      '\n',
      '\r',
      '\u202e',
      '\u2028',
      '\u061c',
      '\u007f',
      'a',
      '\ud83c',
      '\udf89',
    ),
  }),
)
/** Characters that a terminal interprets instead of printing: control and direction characters, and line separators. */
const acts = /\p{Cc}|\p{Bidi_Control}|\p{Zl}|\p{Zp}/u

describe('text escaped for a terminal', () => {
  it('contains no control character, whatever the input', () => {
    check(
      fc.property(text, (text) => {
        expect(visible(text)).not.toMatch(acts)
        expect(visibleLines(text).split('\n').join('')).not.toMatch(acts)
        expect(visibleLines(text).split('\n')).toHaveLength(text.split('\n').length)
      }),
      1000,
    )
  })

  it('is unchanged if it has no control characters', () => {
    check(
      fc.property(text, (text) => {
        fc.pre(!acts.test(text))
        expect(visible(text)).toBe(text)
      }),
      500,
    )
  })

  it('parses to the same value, if it is JSON', () => {
    check(
      fc.property(fc.jsonValue(), text, (value, text) => {
        const shown = visibleJson({ value, [text]: text })
        expect(shown).not.toMatch(acts)
        expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify({ value, [text]: text })))
      }),
      500,
    )
  })
})
