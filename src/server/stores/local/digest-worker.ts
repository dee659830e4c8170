import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import type { DigestAlgorithm } from '../files.js'
import type { DigestAnswer, DigestRequest, TransferableError } from './digests.js'

interface Followed {
  fd: number
  hash: Hash
  position: number
  /** How far the file is written. */
  size: number
  /** Whether the digest of `size` bytes has been requested. */
  isAsked: boolean
}

// Reads what the server has just written from the page cache: the main thread passes no bytes, only offsets.
const buffer = Buffer.allocUnsafeSlow(1024 * 1024)
const followed = new Map<number, Followed>()
let isScheduled = false

parentPort?.on('message', (request: DigestRequest) => {
  if (request.what === 'forget') {
    forget(request.id)
    return answer({ id: request.id, forgotten: true })
  }
  try {
    const state = followed.get(request.id) ?? open(request.path, request.algorithm)
    followed.set(request.id, state)
    state.size = request.size
    state.isAsked ||= request.what === 'digest'
  } catch (error) {
    if (request.what === 'digest') answer({ id: request.id, error: failureOf(error) })
  }
  schedule()
})

/** Alternates between files in slices: one that is read from its start, after a restart, must not delay the others. */
function work(): void {
  isScheduled = false
  for (const [id, state] of followed) {
    try {
      advance(state)
    } catch (error) {
      forget(id, failureOf(error))
      continue
    }
    if (state.position < state.size) schedule()
    else if (state.isAsked) {
      state.isAsked = false
      answer({ id, digest: state.hash.copy().digest('hex') })
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

/** Messages arrive in between: more bytes, or the end of a file. */
function schedule(): void {
  if (isScheduled) return
  isScheduled = true
  setImmediate(work)
}

function open(path: string, algorithm: DigestAlgorithm): Followed {
  return { fd: openSync(path, 'r'), hash: createHash(algorithm), position: 0, size: 0, isAsked: false }
}

function forget(id: number, reason: TransferableError = { message: 'The file is not followed any more.' }): void {
  const state = followed.get(id)
  if (!state) return
  closeSync(state.fd)
  followed.delete(id)
  if (state.isAsked) answer({ id, error: reason })
}

function failureOf(error: unknown): TransferableError {
  return { message: String(error), code: (error as NodeJS.ErrnoException).code }
}

function answer(message: DigestAnswer): void {
  parentPort?.postMessage(message)
}

const sliceBytes = 8 * 1024 * 1024
