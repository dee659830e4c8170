import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

/** Runs in a worker thread: acknowledges each chunk after reading it, and answers null with the digest. */
const hash = createHash('sha256')
const read = new Uint8Array()

parentPort?.on('message', (chunk: Uint8Array | null) => {
  if (chunk === null) return parentPort?.postMessage(new Uint8Array(hash.digest()))
  hash.update(chunk)
  parentPort?.postMessage(read)
})
