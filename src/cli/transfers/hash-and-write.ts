import type { BufferPool } from './buffer-pool.js'

/** Writes a chunk, told where it belongs in the whole; settles when the chunk's memory may be used again. */
export type WriteAt = (chunk: Buffer, position: number) => Promise<void>

export interface Sinks {
  readonly pool: BufferPool
  readonly hasher: { update(chunk: Buffer, position: number): Promise<void> }
  readonly write: WriteAt
  /** Where the first chunk belongs; default 0. */
  readonly from?: number
}

/** Chunks that are hashed and written while the next ones come in. */
const mostUnderWay = 4

/**
 * Hashes and writes every chunk, both at once, and gives it back to the pool; answers with the number of bytes. Chunks are
 * handed to `write` in their order. Rejects with the first error of any of it.
 */
export async function hashAndWrite(
  chunks: AsyncIterable<Buffer>,
  { pool, hasher, write, from = 0 }: Sinks,
  advance: (bytes: number) => void,
): Promise<number> {
  const underWay: Promise<void>[] = []
  let position = from
  try {
    for await (const chunk of chunks) {
      const done = Promise.all([hasher.update(chunk, position), write(chunk, position)]).then(() => {
        pool.give(chunk)
        advance(chunk.length)
      })
      done.catch(() => {})
      underWay.push(done)
      position += chunk.length
      if (underWay.length === mostUnderWay) await underWay.shift()
    }
    await Promise.all(underWay)
    return position - from
  } finally {
    // Nothing may be closed under a write.
    await Promise.allSettled(underWay)
  }
}
