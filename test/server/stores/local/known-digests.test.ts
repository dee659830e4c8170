import type { BigIntStats } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { KnownDigests } from '../../../../dist/server/stores/local/known-digests.js'
import { sha256 } from '../stored-content.js'

const now = 1_000_000_000
const statsOf = (changes: Partial<Record<'ino' | 'nlink' | 'size' | 'mtimeNs' | 'ctimeNs', bigint>> = {}) =>
  ({ ino: 7n, nlink: 1n, size: 5n, mtimeNs: 1_000_000n, ctimeNs: 2_000_000n, ...changes }) as BigIntStats
const digest = { sha256: sha256('a'), type: 'text/x-test' }

describe('KnownDigests', () => {
  it('find the digest of the same file, and of no file that differs in anything', () => {
    const known = new KnownDigests({ now: () => now })
    known.add(statsOf(), digest)
    expect(known.find(statsOf())).toEqual(digest)
    for (const change of [{ ino: 8n }, { size: 6n }, { mtimeNs: 1n }, { ctimeNs: 2_000_001n }]) {
      expect(known.find(statsOf(change))).toBeUndefined()
    }
    const other = { sha256: sha256('b'), type: 'text/plain' }
    known.add(statsOf({ ctimeNs: 3n }), other)
    expect([known.find(statsOf()), known.find(statsOf({ ctimeNs: 3n }))]).toEqual([undefined, other])
  })

  it('do not remember a file that has just changed, or has several names', () => {
    const known = new KnownDigests({ now: () => now })
    const stats = statsOf({ ctimeNs: BigInt(now - 1000) * 1_000_000n })
    for (const each of [stats, statsOf({ nlink: 2n })]) {
      known.add(each, digest)
      expect(known.find(each)).toBeUndefined()
    }
  })

  it('keep thousands of files, and forget all of them where there are too many', () => {
    const known = new KnownDigests({ maxFiles: 3000, now: () => now })
    const fill = (from: number, to: number) => {
      for (let at = from; at < to; at++) known.add(statsOf({ ino: BigInt(at) }), { ...digest, sha256: sha256(`${at}`) })
    }
    const found = (at: number) => known.find(statsOf({ ino: BigInt(at) }))?.sha256
    fill(0, 3000)
    for (const at of [0, 1023, 1024, 2048, 2999]) expect(found(at)).toBe(sha256(`${at}`))
    fill(3000, 3001)
    expect([found(0), found(2999), found(3000)]).toEqual([undefined, undefined, sha256('3000')])
  })
})
