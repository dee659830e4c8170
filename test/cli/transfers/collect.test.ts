import { randomBytes } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { bufferBytes, ReadBufferPool } from '../../../dist/cli/transfers/buffer-pool.js'
import { collect } from '../../../dist/cli/transfers/collect.js'

async function* chunks(content: Buffer, size: number) {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}

describe('collecting chunks', () => {
  it.each([1000, 65_536, 3_000_000])('yields all bytes in order from chunks of %d bytes', async (size) => {
    const content = randomBytes(5 * 1024 ** 2 + 7)
    const pool = new ReadBufferPool()
    const collected: Buffer[] = []
    for await (const chunk of collect(chunks(content, size), pool)) {
      collected.push(Buffer.from(chunk))
      pool.give(chunk)
    }
    expect(Buffer.concat(collected).equals(content)).toBe(true)
    expect(Math.max(...collected.map(({ length }) => length))).toBeLessThanOrEqual(bufferBytes)
  })

  it('yields what a slow stream has delivered without waiting for more', async () => {
    const stream = new PassThrough()
    const chunks = collect(stream, new ReadBufferPool())
    stream.write('a little')
    expect(String((await chunks.next()).value)).toBe('a little')
    stream.end('the rest')
    expect(String((await chunks.next()).value)).toBe('the rest')
    expect((await chunks.next()).done).toBe(true)
  })

  it('fails if the stream fails', async () => {
    const stream = new PassThrough()
    const chunks = collect(stream, new ReadBufferPool())
    stream.write('a little')
    await chunks.next()
    stream.destroy(new Error('broken'))
    await expect(chunks.next()).rejects.toThrow('broken')
  })

  it('yields nothing for an empty stream', async () => {
    expect((await collect(chunks(Buffer.alloc(0), 1), new ReadBufferPool()).next()).done).toBe(true)
  })
})
