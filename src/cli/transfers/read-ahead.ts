import type { FileHandle } from 'node:fs/promises'

const chunkBytes = 1024 ** 2
/** One is being sent, one is read, and one has just been handed over. */
const bufferCount = 3

/**
 * Reads a file from `start` (default 0) to its end, or to `end`, in megabytes, the next one while this one is used. The
 * buffers are used again, because fresh ones would have to be cleared by the system each time: a chunk is valid until
 * the chunk after the next one is asked for.
 */
export async function* readAhead(
  handle: FileHandle,
  start = 0,
  end = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  const buffers = Array.from({ length: bufferCount }, () => Buffer.allocUnsafeSlow(chunkBytes))
  let position = start
  const read = (turn: number) => {
    const length = Math.min(chunkBytes, end - position)
    return length > 0 ? handle.read(buffers[turn % bufferCount]!, 0, length, position) : undefined
  }
  let pending = read(0)
  try {
    for (let turn = 1; pending; turn += 1) {
      const { bytesRead, buffer } = await pending
      if (bytesRead === 0) return
      position += bytesRead
      pending = read(turn)
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    // The handle must not be closed under a read.
    await pending?.catch(() => {})
  }
}
