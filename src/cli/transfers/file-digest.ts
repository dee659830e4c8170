import type { FileHandle } from 'node:fs/promises'
import type { BufferPool } from './buffer-pool.js'
import { hashAndWrite } from './hash-and-write.js'
import { type Hasher, openHasher } from './hasher.js'
import { readAhead } from './read-ahead.js'

/** The SHA-256 of a whole file, computed while it is sent, in as many pieces and attempts as it takes. */
export interface FileDigest {
  /** Shows a chunk that passes by; settles when its memory may be used again. */
  update(chunk: Buffer, position: number): Promise<void>
  /** The digest, once everything has passed by. */
  finish(): Promise<Buffer>
  /** Lets go of what is open. */
  close(): void
}

/** For an upload from the beginning: every byte is hashed when it passes by for the first time. */
export function passingDigest(size: number | null): FileDigest {
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

/** For an upload that goes on after an earlier run: reads the file by itself, beside the sending. */
export function readingDigest(handle: FileHandle, pool: BufferPool, size: number): FileDigest {
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

async function readAll(handle: FileHandle, pool: BufferPool, size: number, hasher: Hasher, signal: AbortSignal) {
  const write = async () => signal.throwIfAborted()
  await hashAndWrite(readAhead(handle, pool, 0, size), { pool, hasher, write }, () => {})
}
