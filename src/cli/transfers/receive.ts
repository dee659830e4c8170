import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Takes some chunks, in order; settles when they are written. */
export type WriteBatch = (chunks: Buffer[], position: number) => Promise<void>

/** Enough for a write to be worth its way. */
const batchBytes = 1024 ** 2

/**
 * Reads a body to its end, computes its SHA-256 and hands it on in batches of about a megabyte, the next one being read
 * while one is written. Rejects when the body is cut short.
 */
export async function receive(
  response: IncomingMessage,
  write: WriteBatch,
  advance: (bytes: number) => void,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let batch: Buffer[] = []
  let batched = 0
  let position = 0
  let writing: Promise<void> = Promise.resolve()
  const flush = async () => {
    await writing
    writing = write(batch, position)
    writing.catch(() => {})
    position += batched
    batch = []
    batched = 0
  }
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      hash.update(chunk)
      advance(chunk.length)
      batch.push(chunk)
      batched += chunk.length
      if (batched >= batchBytes) await flush()
    }
    if (batched > 0) await flush()
  } finally {
    // The file must not be closed under a write.
    await writing.catch(() => {})
  }
  await writing
  return { bytes: position, sha256: hash.digest('hex') }
}
