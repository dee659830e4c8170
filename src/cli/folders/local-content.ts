import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { Failure } from '../exit-codes.js'
import type { ReadBufferPool } from '../transfers/buffer-pool.js'
import { readingDigest } from '../transfers/file-digest.js'
import { isSameState, type LocalFile, timesOf } from './walk.js'

/** The content of a file together with its state. */
export interface ReadFile {
  readonly file: LocalFile
  readonly content: Buffer
  readonly sha256: string
  readonly readAtMs: number
}

/** Reads a small file as a whole. Throws a Failure if it changes meanwhile, and errors of the system. */
export function readSmallFile({ path, name }: Pick<LocalFile, 'path' | 'name'>): ReadFile {
  const readAtMs = Date.now()
  // Does not follow a symbolic link that has replaced the file.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const before = fstatSync(descriptor)
    if (!before.isFile()) throw new Failure('refused', `${path} is no longer a regular file.`)
    const file = { name, path, ...timesOf(before) }
    // One extra byte shows whether the file has grown.
    const buffer = Buffer.allocUnsafe(file.size + 1)
    let length = 0
    for (let bytes = -1; bytes !== 0 && length < buffer.length; length += bytes) {
      bytes = readSync(descriptor, buffer, length, buffer.length - length, length)
    }
    const after = timesOf(fstatSync(descriptor))
    if (length !== file.size || !isSameState(file, after)) throw hasChanged(path)
    const content = buffer.subarray(0, length)
    return { file, content, sha256: createHash('sha256').update(content).digest('hex'), readAtMs }
  } finally {
    closeSync(descriptor)
  }
}

/** Computes the SHA-256 of a file, in a thread if it is large. Throws like `readSmallFile`, and the signal's reason. */
export async function digestOfFile(file: LocalFile, pool: ReadBufferPool, signal: AbortSignal): Promise<string> {
  if (file.size <= smallBytes) return digestOfSmall(file)
  const handle = await open(file.path, 'r')
  const digest = readingDigest(handle, pool, file.size)
  const leave = () => digest.close()
  signal.addEventListener('abort', leave)
  try {
    const sha256 = (await digest.finish()).toString('hex')
    if (!isSameState(file, timesOf(await handle.stat()))) throw hasChanged(file.path)
    return sha256
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', leave)
    digest.close()
    await handle.close()
  }
}

function digestOfSmall(expected: LocalFile): string {
  const { file, sha256 } = readSmallFile(expected)
  if (!isSameState(expected, file)) throw hasChanged(expected.path)
  return sha256
}

export function hasChanged(path: string): Failure {
  return new Failure('unexpected', `${path} changed while it was read: run the command again.`)
}

const smallBytes = 1024 ** 2
