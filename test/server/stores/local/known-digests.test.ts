import { type BigIntStats, lstatSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type FileStamp, stampOf } from '../../../../dist/server/stores/local/file-stamp.js'
import { KnownDigests } from '../../../../dist/server/stores/local/known-digests.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { sha256 } from '../stored-content.js'

const now = 1_000_000_000
const stampWith = (changes: Partial<FileStamp> = {}): FileStamp => {
  return { ino: 7, nlink: 1, size: 5, mtimeMs: 1.5, ctimeMs: 2.5, ...changes }
}
const digest = { sha256: sha256('a'), type: 'text/x-test', isDateStrong: true }

describe('KnownDigests', () => {
  it('find the digest of the same file, and of no file that differs in anything', () => {
    const known = new KnownDigests({ now: () => now })
    known.add(stampWith(), digest)
    expect(known.find(stampWith())).toEqual(digest)
    for (const change of [{ ino: 8 }, { size: 6 }, { mtimeMs: 1 }, { ctimeMs: 2.501 }]) {
      expect(known.find(stampWith(change))).toBeUndefined()
    }
    const other = { sha256: sha256('b'), type: 'text/plain', isDateStrong: false }
    known.add(stampWith({ ctimeMs: 3 }), other)
    expect([known.find(stampWith()), known.find(stampWith({ ctimeMs: 3 }))]).toEqual([undefined, other])
  })

  it('do not remember a file that has just changed, unless it was just published', () => {
    const known = new KnownDigests({ now: () => now })
    const stamp = stampWith({ ctimeMs: now - 1000 })
    known.add(stamp, digest)
    expect(known.find(stamp)).toBeUndefined()
    known.addPublished(stamp, digest)
    expect(known.find(stamp)).toEqual(digest)
  })

  it('do not remember a file with several names', () => {
    const known = new KnownDigests({ now: () => now })
    known.add(stampWith({ nlink: 2 }), digest)
    expect(known.find(stampWith({ nlink: 2 }))).toBeUndefined()
  })

  it('keep thousands of files, and forget all of them where there are too many', () => {
    const known = new KnownDigests({ maxFiles: 3000, now: () => now })
    const fill = (from: number, to: number) => {
      for (let at = from; at < to; at++)
        known.add(stampWith({ ino: at * 1024 }), { ...digest, sha256: sha256(`${at}`) })
    }
    const found = (at: number) => known.find(stampWith({ ino: at * 1024 }))?.sha256
    fill(1, 3001)
    for (const at of [1, 1024, 1025, 2049, 3000]) expect(found(at)).toBe(sha256(`${at}`))
    fill(3001, 3002)
    expect([found(1), found(3000), found(3001)]).toEqual([undefined, undefined, sha256('3001')])
  })

  it('forget all files where they have too many types', () => {
    const known = new KnownDigests({ now: () => now })
    for (let at = 0; at <= 1000; at++) known.add(stampWith(), { ...digest, type: `text/x-${at}` })
    expect(known.find(stampWith())).toMatchObject({ type: 'text/x-1000' })
    known.add(stampWith({ ino: 8 }), digest)
    expect([known.find(stampWith()), known.find(stampWith({ ino: 8 }))]).toEqual([undefined, digest])
  })
})

describe('the stamp of a file', () => {
  it('has the numbers that its stats have', async () => {
    const path = join(await temporaryFolder(), 'file')
    writeFileSync(path, 'x')
    for (const mtime of [0, 1_700_000_000.123456, Date.now() / 1000]) {
      utimesSync(path, mtime, mtime)
      expect(lstatSync(path)).toMatchObject({ ...stampOf(lstatSync(path, { bigint: true })) })
    }
  })

  it('is undefined where a number would be another inode, or the next millisecond', () => {
    const stats = { ino: 1n, nlink: 1n, size: 1n, mtimeNs: 1_700_000_000_000_000_000n, ctimeNs: 1n }
    expect(stampOf(stats as BigIntStats)).toMatchObject({ mtimeMs: 1_700_000_000_000 })
    expect(stampOf({ ...stats, ino: 2n ** 53n } as BigIntStats)).toBeUndefined()
    expect(stampOf({ ...stats, mtimeNs: 1_700_000_000_999_999_999n } as BigIntStats)).toBeUndefined()
  })
})
