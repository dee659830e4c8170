import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

/** Runs in a thread of its own: answers every chunk when it has been read, and null with the digest. */
const hash = createHash('sha256')
const read = new Uint8Array()

parentPort?.on('message', (chunk: Uint8Array | null) => {
  if (chunk === null) return parentPort?.postMessage(new Uint8Array(hash.digest()))
  hash.update(chunk)
  parentPort?.postMessage(read)
})
