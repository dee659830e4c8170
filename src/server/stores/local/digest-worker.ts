import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { DigestAnswer, DigestRequest } from './digests.js'

interface Followed {
  fd: number
  hash: Hash
  position: number
  /** How far the file is written. */
  size: number
  /** Whether the digest of `size` bytes is waited for. */
  isAsked: boolean
}

// Reads what the server has just written, out of the page cache: the main thread hands over no bytes, only offsets.
const buffer = Buffer.allocUnsafeSlow(1024 * 1024)
const followed = new Map<number, Followed>()
let isScheduled = false

parentPort?.on('message', (request: DigestRequest) => {
  if (request.what === 'forget') return forget(request.id)
  try {
    const state = followed.get(request.id) ?? open(request.path)
    followed.set(request.id, state)
    state.size = request.size
    state.isAsked ||= request.what === 'digest'
  } catch (error) {
    if (request.what === 'digest') answer({ id: request.id, error: String(error) })
  }
  schedule()
})

/** A slice of each file in turn: one that is read from its beginning, after a restart, must not hold up the others. */
function work(): void {
  isScheduled = false
  for (const [id, state] of followed) {
    try {
      advance(state)
    } catch (error) {
      forget(id, String(error))
      continue
    }
    if (state.position < state.size) schedule()
    else if (state.isAsked) {
      state.isAsked = false
      answer({ id, sha256: state.hash.copy().digest('hex') })
    }
  }
}

function advance(state: Followed): void {
  const end = Math.min(state.size, state.position + sliceBytes)
  while (state.position < end) {
    const length = readSync(state.fd, buffer, 0, Math.min(buffer.length, end - state.position), state.position)
    if (length === 0) throw new Error(`the partial is shorter than ${state.size} bytes`)
    state.hash.update(length === buffer.length ? buffer : buffer.subarray(0, length))
    state.position += length
  }
}

/** Messages come in between: an end of the following, or more to follow. */
function schedule(): void {
  if (isScheduled) return
  isScheduled = true
  setImmediate(work)
}

function open(path: string): Followed {
  return { fd: openSync(path, 'r'), hash: createHash('sha256'), position: 0, size: 0, isAsked: false }
}

function forget(id: number, reason = 'nobody follows it any more'): void {
  const state = followed.get(id)
  if (!state) return
  closeSync(state.fd)
  followed.delete(id)
  if (state.isAsked) answer({ id, error: reason })
}

function answer(message: DigestAnswer): void {
  parentPort?.postMessage(message)
}

const sliceBytes = 8 * 1024 * 1024
