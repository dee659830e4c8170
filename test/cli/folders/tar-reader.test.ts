import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { TarReader } from '../../../dist/cli/folders/tar-reader.js'
import { type TarPart, tarOf } from '../../helpers/tars.js'

function read(tar: Buffer, { step = tar.length, mostBytes = 1024 ** 2 } = {}) {
  const reader = new TarReader(mostBytes)
  const found: [string, string | undefined, string | undefined][] = []
  for (let at = 0; at < tar.length; at += step) {
    for (const { name, content, sha256 } of reader.push(tar.subarray(at, at + step))) {
      found.push([name, content?.toString(), sha256])
    }
  }
  reader.end()
  return found
}

const sha256 = createHash('sha256').update('b').digest('hex')
const long = `${'d/'.repeat(80)}\u{1f600}`
const parts: TarPart[] = [
  { name: 'a', content: 'a'.repeat(1000) },
  { name: 'folder/', type: '5' },
  { name: 'b', content: 'b', pax: { 'FILEJOBS.sha256': sha256 } },
  { name: 'short', content: '', pax: { path: long, mtime: '1.5' } },
  { name: 'c', content: 'c' },
]
const files = [
  ['a', 'a'.repeat(1000), undefined],
  ['b', 'b', sha256],
  [long, '', undefined],
  ['c', 'c', undefined],
]

describe('a reader of tars', () => {
  it.each([1, 100, 512, 700, 1e6])('finds files in chunks of %d bytes, whatever is between them', (step) => {
    expect(read(tarOf(parts), { step })).toEqual(files)
  })

  it('skips the content of what is too large', () => {
    const tar = tarOf([
      { name: 'large', content: 'x'.repeat(5000) },
      { name: 'next', content: 'y' },
    ])
    for (const step of [300, 1e6]) {
      expect(read(tar, { step, mostBytes: 1000 })).toEqual([
        ['large', undefined, undefined],
        ['next', 'y', undefined],
      ])
    }
  })

  it('joins the two parts of a name', () => {
    const damage = (header: Buffer) => {
      header.write('above', 345)
      let sum = 256
      for (const [at, byte] of header.entries()) if (at < 148 || at >= 156) sum += byte
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    }
    expect(read(tarOf([{ name: 'below', content: '', damage }]))).toEqual([['above/below', '', undefined]])
  })

  it('does not take an incomplete tar for a whole one', () => {
    const tar = tarOf(parts)
    for (const length of [0, 100, 600, 1536, tar.length - 1024]) {
      expect(() => read(tar.subarray(0, length)), String(length)).toThrow(/ended too early/)
    }
  })

  it.each<[string, TarPart]>([
    ['a header', { name: 'a', damage: (header) => header.write('b') }],
    ['an extended header', { name: 'a', type: 'x', content: '99 path=x\n' }],
    ['a size', { name: 'a', pax: { size: 'x' } }],
  ])('rejects %s that is damaged', (_, part) => {
    expect(() => read(tarOf([part]))).toThrow(/an invalid tar: .* is damaged/)
  })
})
