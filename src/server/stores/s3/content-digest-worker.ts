import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import type { DigestAlgorithm } from '../files.js'
import { sendError } from '../local/sent-errors.js'
import type { ContentDigestAnswer, ContentDigestRequest, ObjectSource } from './content-digests.js'

/** The digests of the contents whose objects this thread has all seen. */
const followed = new Map<number, Map<DigestAlgorithm, Hash>>()
const buffer = Buffer.allocUnsafeSlow(1024 * 1024)

parentPort?.on('message', (request: ContentDigestRequest) => {
  try {
    answer({ request: request.request, digest: perform(request) })
  } catch (error) {
    followed.delete(request.id)
    answer({ request: request.request, error: sendError(error) })
  }
})

function perform(request: ContentDigestRequest): string | null {
  const { id } = request
  if (request.what === 'add') return add(request)
  if (request.what === 'digest') return followed.get(id)?.get(request.algorithm)?.copy().digest('hex') ?? null
  followed.delete(id)
  return null
}

function add({ id, source, position, size, algorithms }: ContentDigestRequest & { what: 'add' }): string {
  if (position === 0) followed.set(id, new Map(algorithms.map((each) => [each, createHash(each)])))
  const hashes = [...(followed.get(id)?.values() ?? [])]
  let checksum = 0
  for (const bytes of chunksOf(source, size)) {
    checksum = crc32(bytes, checksum)
    for (const hash of hashes) hash.update(bytes)
  }
  return checksum.toString(16).padStart(8, '0')
}

function* chunksOf(source: ObjectSource, size: number): Generator<Buffer> {
  if ('memory' in source) {
    yield Buffer.from(source.memory, 0, size)
    return
  }
  const fd = openSync(source.path, 'r')
  try {
    for (let at = 0; at < size; ) {
      const length = readSync(fd, buffer, 0, Math.min(buffer.length, size - at), at)
      if (length === 0) throw new Error(`the file is shorter than ${size} bytes`)
      yield buffer.subarray(0, length)
      at += length
    }
  } finally {
    closeSync(fd)
  }
}

function answer(message: ContentDigestAnswer): void {
  parentPort?.postMessage(message)
}
