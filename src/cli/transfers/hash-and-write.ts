import type { ReadBufferPool } from './buffer-pool.js'

/** Writes a chunk at its position; resolves when the chunk's memory may be reused. */
export type WriteAt = (chunk: Buffer, position: number) => Promise<void>

export interface Sinks {
  readonly pool: ReadBufferPool
  readonly hasher: { update(chunk: Buffer, position: number): Promise<void> }
  readonly write: WriteAt
  /** The position of the first chunk; default 0. */
  readonly from?: number
}

/** Chunks are hashed and written while the next ones arrive. */
const mostUnderWay = 4

/**
 * Hashes and writes every chunk in parallel, then gives it back to the pool; returns the number of bytes. Chunks are
 * passed to `write` in order. Rejects with the first error.
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
    // Do not close anything during a write.
    await Promise.allSettled(underWay)
  }
}
