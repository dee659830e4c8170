import { describe, expect, it } from 'vitest'
import { visible, visibleJson, visibleLines } from '../../dist/cli/escape.js'

describe('text for a terminal', () => {
  it('shows an escape sequence in a name as text', () => {
    expect(visible('a\u001b[2Jb\u009b1mc\u007f')).toBe('a\\x1b[2Jb\\x9b1mc\\x7f')
  })

  it('shows line breaks in a name, which could fake another line, as text', () => {
    expect(visible('a\nError: b\r\tc\u2028d')).toBe('a\\nError: b\\r\\tc\\u2028d')
  })

  it('shows bidirectional control characters as text', () => {
    expect(visible('photo\u202egpj.exe')).toBe('photo\\u202egpj.exe')
  })

  it('leaves letters of any script unchanged', () => {
    expect(visible('Prüfung 数据 🎉.csv')).toBe('Prüfung 数据 🎉.csv')
  })

  it('keeps the line breaks of a multi-line text', () => {
    expect(visibleLines('a\u0007\nb')).toBe('a\\x07\nb')
  })
})

describe('JSON for a terminal', () => {
  it('escapes characters that JSON.stringify leaves as they are, and parses to the same value', () => {
    const value = { name: 'a\u009b\u007f\u202e\u001b' }
    const text = visibleJson(value)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
    expect(JSON.parse(text)).toEqual(value)
  })
})
