import { randomBytes } from 'node:crypto'
import { open, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ReadBufferPool } from '../../../dist/cli/transfers/buffer-pool.js'
import { readAhead } from '../../../dist/cli/transfers/read-ahead.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

async function readWith(content: Buffer, start?: number, end?: number) {
  const path = `${await temporaryFolder()}/file`
  await writeFile(path, content)
  const handle = await open(path)
  const chunks: Buffer[] = []
  try {
    for await (const chunk of readAhead(handle, new ReadBufferPool(), start, end)) chunks.push(Buffer.from(chunk))
  } finally {
    await handle.close()
  }
  return Buffer.concat(chunks)
}

describe('reading ahead', () => {
  const content = randomBytes(5 * 1024 ** 2 + 17)

  it('yields the whole file in order', async () => {
    expect((await readWith(content)).equals(content)).toBe(true)
  })

  it('yields a range of the file', async () => {
    const part = await readWith(content, 1_500_000, 4_000_000)
    expect(part.equals(content.subarray(1_500_000, 4_000_000))).toBe(true)
  })

  it('yields nothing for an empty file', async () => {
    expect(await readWith(Buffer.alloc(0))).toHaveLength(0)
  })

  it('closes the file handle if the consumer stops early', async () => {
    const path = `${await temporaryFolder()}/file`
    await writeFile(path, content)
    const handle = await open(path)
    for await (const _ of readAhead(handle, new ReadBufferPool())) break
    await handle.close()
  })
})
