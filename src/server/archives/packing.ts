import { once } from 'node:events'
import { createDeflateRaw } from 'node:zlib'
import type { Chunks } from './archive-writer.js'

/** Turns bytes into a raw deflate stream (RFC 1951). */
export interface Packing {
  push(bytes: Uint8Array): Promise<Chunks>
  end(): Promise<Chunks>
  close(): void
}

/** Without compression: the stream consists of stored blocks (RFC 1951 section 3.2.4). */
export function storing(): Packing {
  return {
    async push(bytes) {
      const chunks: Uint8Array[] = []
      for (let at = 0; at < bytes.length; at += maxStored) {
        const block = bytes.subarray(at, at + maxStored)
        chunks.push(storedHeader(block.length, false), block)
      }
      return chunks
    },
    end: async () => [storedHeader(0, true)],
    close() {},
  }
}

export function deflating(level: number): Packing {
  const deflate = createDeflateRaw({ level })
  let packed: Uint8Array[] = []
  deflate.on('data', (bytes: Uint8Array) => packed.push(bytes))
  const take = () => packed.splice(0)
  return {
    push: (bytes) =>
      new Promise((resolve, reject) => {
        deflate.write(bytes, (error) => (error ? reject(error) : resolve(take())))
      }),
    async end() {
      deflate.end()
      await once(deflate, 'end')
      return take()
    },
    close() {
      packed = []
      deflate.destroy()
    },
  }
}

function storedHeader(length: number, isLast: boolean): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt8(isLast ? 1 : 0, 0)
  header.writeUInt16LE(length, 1)
  header.writeUInt16LE(~length & 0xffff, 3)
  return header
}

const maxStored = 0xffff
