import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { DigestAnswer, DigestRequest } from './digests.js'

// Reads what the server has just written, out of the page cache: the main thread hands over no bytes, only offsets.
const buffer = Buffer.allocUnsafeSlow(1024 * 1024)
const followed = new Map<number, { fd: number; hash: Hash; position: number }>()

parentPort?.on('message', (request: DigestRequest) => {
  if (request.what === 'forget') return forget(request.id)
  try {
    const hash = follow(request)
    if (request.what === 'digest') answer({ id: request.id, sha256: hash.copy().digest('hex') })
  } catch (error) {
    forget(request.id)
    if (request.what === 'digest') answer({ id: request.id, error: String(error) })
  }
})

function follow({ id, path, size }: DigestRequest & { what: 'follow' | 'digest' }): Hash {
  const state = followed.get(id) ?? { fd: openSync(path, 'r'), hash: createHash('sha256'), position: 0 }
  followed.set(id, state)
  while (state.position < size) {
    const length = readSync(state.fd, buffer, 0, Math.min(buffer.length, size - state.position), state.position)
    if (length === 0) throw new Error(`the partial is shorter than ${size} bytes`)
    state.hash.update(length === buffer.length ? buffer : buffer.subarray(0, length))
    state.position += length
  }
  return state.hash
}

function forget(id: number): void {
  const state = followed.get(id)
  if (state) closeSync(state.fd)
  followed.delete(id)
}

function answer(message: DigestAnswer): void {
  parentPort?.postMessage(message)
}
