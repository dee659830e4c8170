import { writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { SentError } from './batch-messages.js'
import { sendError } from './sent-errors.js'
import type { SharedWrite, WriteAnswer } from './write-thread.js'

parentPort?.on('message', (writes: SharedWrite[]) => {
  parentPort?.postMessage(writes.map(perform) satisfies WriteAnswer)
})

function perform({ fd, bytes, position }: SharedWrite): SentError | null {
  try {
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(fd, bytes, written, bytes.length - written, position + written)
    }
    return null
  } catch (error) {
    return sendError(error)
  }
}
