import { createHash, randomBytes } from 'node:crypto'
import { open, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ReadBufferPool } from '../../../dist/cli/transfers/buffer-pool.js'
import { passingDigest, readingDigest } from '../../../dist/cli/transfers/file-digest.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const content = randomBytes(3_000_000)
const expected = createHash('sha256').update(content).digest('hex')

describe('the digest of a file being sent', () => {
  it('counts every byte once, however often it is sent', async () => {
    const digest = passingDigest(content.length)
    // Broken off at 1,500,000 and gone on with where the server was, twice.
    for (const [from, to] of [
      [0, 1_000_000],
      [1_000_000, 1_500_000],
      [700_000, 1_200_000],
      [1_200_000, 2_000_000],
      [2_000_000, 3_000_000],
      [2_999_999, 3_000_000],
    ] as const) {
      await digest.update(content.subarray(from, to), from)
    }
    expect((await digest.finish()).toString('hex')).toBe(expected)
    expect((await digest.finish()).toString('hex')).toBe(expected)
    digest.close()
  })

  it('never skips bytes that it has not hashed', async () => {
    const digest = passingDigest(content.length)
    await digest.update(content.subarray(0, 10), 0)
    await expect(digest.update(content.subarray(20, 30), 20)).rejects.toThrow(/never hashed/)
    digest.close()
  })

  it('is read from the file for the part that an earlier run has sent', async () => {
    const path = `${await temporaryFolder()}/file`
    await writeFile(path, content)
    const handle = await open(path)
    const digest = readingDigest(handle, new ReadBufferPool(), content.length)
    await digest.update(content.subarray(2_000_000), 2_000_000)
    expect((await digest.finish()).toString('hex')).toBe(expected)
    digest.close()
    await handle.close()
  })
})
