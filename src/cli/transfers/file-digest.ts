import type { FileHandle } from 'node:fs/promises'
import type { ReadBufferPool } from './buffer-pool.js'
import { hashAndWrite } from './hash-and-write.js'
import { type Hasher, openHasher } from './hasher.js'
import { readAhead } from './read-ahead.js'

/** The SHA-256 of a whole file, computed while it is sent in several chunks and attempts. */
export interface SentFileDigest {
  /** Passes a chunk that is being sent; resolves when its memory may be reused. */
  update(chunk: Buffer, position: number): Promise<void>
  /** The digest, after all bytes were passed. */
  finish(): Promise<Buffer>
  /** Releases resources. */
  close(): void
}

/** For an upload from the start: hashes every byte when it is first sent. */
export function passingDigest(size: number | null): SentFileDigest {
  const hasher = openHasher(size)
  let hashed = 0
  let digest: Promise<Buffer> | undefined
  return {
    async update(chunk, position) {
      const known = Math.min(Math.max(hashed - position, 0), chunk.length)
      if (position > hashed) throw new Error(`The bytes from ${hashed} to ${position} were never hashed.`)
      if (known === chunk.length) return
      hashed = position + chunk.length
      await hasher.update(chunk.subarray(known))
    },
    finish() {
      digest ??= hasher.digest()
      return digest
    },
    close: () => hasher.close(),
  }
}

/** For a resumed upload: reads the file by itself, in parallel with the sending. */
export function readingDigest(handle: FileHandle, pool: ReadBufferPool, size: number): SentFileDigest {
  const hasher = openHasher(size)
  const left = new AbortController()
  const reading = readAll(handle, pool, size, hasher, left.signal)
  reading.catch(() => {})
  return {
    async update() {},
    async finish() {
      await reading
      return hasher.digest()
    },
    close() {
      left.abort()
      hasher.close()
    },
  }
}

async function readAll(handle: FileHandle, pool: ReadBufferPool, size: number, hasher: Hasher, signal: AbortSignal) {
  const write = async () => signal.throwIfAborted()
  await hashAndWrite(readAhead(handle, pool, 0, size), { pool, hasher, write }, () => {})
}
