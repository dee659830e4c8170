import { describe, expect, test } from 'vitest'
import { isPattern, parsePattern } from '../../dist/cli/name-pattern.js'

describe('a pattern of names', () => {
  test.each([
    ['*.jpg', ['a.jpg', '.jpg'], ['a.jpeg', 'b/a.jpg', 'ajpg']],
    ['photos/*.jpg', ['photos/a.jpg'], ['photos/b/a.jpg', 'photo/a.jpg']],
    ['photos/**/*.jpg', ['photos/a.jpg', 'photos/b/c/a.jpg'], ['a.jpg']],
    ['photos/**', ['photos/a', 'photos/b/c'], ['photos', 'b']],
    ['?.txt', ['a.txt', '日.txt', '😀.txt'], ['ab.txt', '/.txt']],
    ['[a-c]', ['a', 'c'], ['d', '-', '/']],
    ['[!a-c]', ['d', '^'], ['a', '/', '']],
    ['[]^]x', [']x', '^x'], ['ax']],
    ['[^a]x', ['bx'], ['ax', '^']],
    ['[*]', ['*'], ['a']],
    ['a+(b).$x*', ['a+(b).$xy'], ['aab.x']],
    ['a[', ['a['], ['a']],
  ])('%s matches names as a shell does', (pattern, matching, others) => {
    const { matches } = parsePattern(pattern)
    expect(matching.filter((name) => !matches(name))).toEqual([])
    expect(others.filter((name) => matches(name))).toEqual([])
  })

  test('with a range that ends before it starts is refused', () => {
    expect(() => parsePattern('[z-a]')).toThrow('range')
  })

  test('has a prefix that all its names have, and may have more levels', () => {
    expect(parsePattern('photos/IMG*.jpg')).toMatchObject({ prefix: 'photos/IMG', isDeep: false })
    expect(parsePattern('*/a')).toMatchObject({ prefix: '', isDeep: true })
    expect(parsePattern('a/**')).toMatchObject({ prefix: 'a/', isDeep: true })
    expect(['a*', 'a?', '[a]', 'a'].map(isPattern)).toEqual([true, true, true, false])
  })
})
