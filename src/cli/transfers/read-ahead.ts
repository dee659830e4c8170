import type { FileHandle } from 'node:fs/promises'
import { bufferBytes, type ReadBufferPool } from './buffer-pool.js'

/**
 * Reads a file from `start` to `end`, or to the end of the file, in megabytes, reading ahead by one. The consumer gives
 * each chunk back to the pool.
 */
export async function* readAhead(
  handle: FileHandle,
  pool: ReadBufferPool,
  start = 0,
  end = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  let position = start
  const read = () => {
    const length = Math.min(bufferBytes, end - position)
    if (length <= 0) return undefined
    const reading = handle.read(pool.take(), 0, length, position)
    // Prevents an unhandled rejection: it may fail before it is awaited.
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
    // Do not close the handle during a read.
    await pending?.catch(() => {})
  }
}
