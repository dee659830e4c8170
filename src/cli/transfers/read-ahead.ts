import type { FileHandle } from 'node:fs/promises'
import { type BufferPool, bufferBytes } from './buffer-pool.js'

/**
 * Reads a file from `start` to `end`, or to its own end, in megabytes, the next one while this one is used. Each chunk
 * belongs to the consumer, who gives it back to the pool.
 */
export async function* readAhead(
  handle: FileHandle,
  pool: BufferPool,
  start = 0,
  end = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  let position = start
  const read = () => {
    const length = Math.min(bufferBytes, end - position)
    if (length <= 0) return undefined
    const reading = handle.read(pool.take(), 0, length, position)
    // It may fail before it is asked for.
    reading.catch(() => {})
    return reading
  }
  let pending = read()
  try {
    while (pending) {
      const { bytesRead, buffer } = await pending
      if (bytesRead === 0) return
      position += bytesRead
      pending = read()
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    // The handle must not be closed under a read.
    await pending?.catch(() => {})
  }
}
