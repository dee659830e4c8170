import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ReadBufferPool } from '../../../dist/cli/transfers/buffer-pool.js'
import { openHasher } from '../../../dist/cli/transfers/hasher.js'

describe('a digest computed during a transfer', () => {
  it.each([
    ['a small file, in the same thread', 1000],
    ['a large file, in a thread of its own', 1024 ** 3],
    ['an unknown length', null],
  ])('is correct for %s', async (_, expectedBytes) => {
    const hasher = openHasher(expectedBytes)
    const pool = new ReadBufferPool()
    const hash = createHash('sha256')
    for (const size of [1, 1024 ** 2, 77]) {
      const chunk = pool.take().subarray(0, size)
      randomBytes(size).copy(chunk)
      hash.update(chunk)
      // Its memory is used again at once.
      await hasher.update(chunk)
      chunk.fill(0)
      pool.give(chunk)
    }
    expect((await hasher.digest()).toString('hex')).toBe(hash.digest('hex'))
    hasher.close()
    hasher.close()
  })
})
