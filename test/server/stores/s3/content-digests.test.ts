import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ContentDigests } from '../../../../dist/server/stores/s3/content-digests.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'
import { sha256 } from '../stored-content.js'

function open() {
  const digests = new ContentDigests(1)
  onTestFinished(() => digests.close())
  return digests
}

function inMemory(bytes: Buffer) {
  const memory = new SharedArrayBuffer(bytes.length + 10)
  Buffer.from(memory).set(bytes)
  return { memory }
}

describe('the digests of a content', () => {
  it('are those of all its objects, in memory and in files; each has a checksum', async () => {
    const folder = await temporaryFolder()
    const digest = open().open(['sha256'])
    digest.follow('sha512')
    const [first, second] = [randomBytes(3_000_000), Buffer.from('the end')]
    await writeFile(join(folder, 'first'), first)
    const checksums = [digest.add({ path: join(folder, 'first') }, first.length), digest.add(inMemory(second), 7)]
    digest.follow('sha256')
    expect(await digest.digest('sha256')).toBe(sha256(Buffer.concat([first, second])))
    expect(await digest.digest('sha512')).toHaveLength(128)
    const expected = [first, second].map((bytes) => crc32(bytes).toString(16).padStart(8, '0'))
    expect(await Promise.all(checksums)).toEqual(expected)
    digest.forget()
    expect(await digest.digest('sha256')).toBeNull()
  })

  it('are not known without algorithms, and for none that is followed too late', async () => {
    const digests = open()
    const [none, late] = [digests.open([]), digests.open(['sha256'])]
    none.follow('sha256')
    for (const digest of [none, late]) expect(await digest.add(inMemory(Buffer.from('x')), 1)).toHaveLength(8)
    late.follow('sha512')
    expect([await none.digest('sha256'), await late.digest('sha512')]).toEqual([null, null])
    expect(await late.digest('sha256')).toBe(sha256('x'))
  })

  it('are lost where an object could not be read', async () => {
    const folder = await temporaryFolder()
    const digest = open().open(['sha256'])
    await writeFile(join(folder, 'short'), 'short')
    await expect(digest.add({ path: join(folder, 'missing') }, 1)).rejects.toThrow('ENOENT')
    await expect(digest.add({ path: join(folder, 'short') }, 9)).rejects.toThrow('shorter')
    await digest.add(inMemory(Buffer.from('x')), 1)
    expect(await digest.digest('sha256')).toBeNull()
  })

  it('fail once they are closed', async () => {
    const digests = open()
    const digest = digests.open(['sha256'])
    await digests.close()
    await expect(digest.add(inMemory(Buffer.from('x')), 1)).rejects.toThrow('ended')
    digest.forget()
  })
})
