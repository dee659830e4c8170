import { describe, expect, it } from 'vitest'
import { visible, visibleJson, visibleLines } from '../../dist/cli/escape.js'

describe('words for a terminal', () => {
  it('show an escape sequence in a name instead of obeying it', () => {
    expect(visible('a\u001b[2Jb\u009b1mc\u007f')).toBe('a\\x1b[2Jb\\x9b1mc\\x7f')
  })

  it('show line ends within a name, which could feign another line', () => {
    expect(visible('a\nError: b\r\tc\u2028d')).toBe('a\\nError: b\\r\\tc\\u2028d')
  })

  it('show marks that turn the direction of writing round', () => {
    expect(visible('photo\u202egpj.exe')).toBe('photo\\u202egpj.exe')
  })

  it('leave letters of any script as they are', () => {
    expect(visible('Prüfung 数据 🎉.csv')).toBe('Prüfung 数据 🎉.csv')
  })

  it('keep the lines of a text of several', () => {
    expect(visibleLines('a\u0007\nb')).toBe('a\\x07\nb')
  })
})

describe('JSON for a terminal', () => {
  it('escapes what JSON leaves, and means the same', () => {
    const value = { name: 'a\u009b\u007f\u202e\u001b' }
    const text = visibleJson(value)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
    expect(JSON.parse(text)).toEqual(value)
  })
})
