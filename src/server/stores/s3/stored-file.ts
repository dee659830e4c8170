import type { FileHandle } from 'node:fs/promises'
import type { ContentDigests } from './content-digests.js'
import { objectSizeAt } from './object-size.js'
import type { Objects } from './objects.js'

/** A file is shorter than it was. */
export class ShortFile extends Error {
  override name = 'ShortFile'
}

export interface FileStorage {
  objects: Objects
  digests: Pick<ContentDigests, 'open'>
}

export interface StoredFileOptions {
  content: string
  /** Bytes of the file. */
  size: number
  /** Called with the bytes of each object that is stored. */
  onBytes?: (bytes: number) => void
  signal?: AbortSignal | undefined
}

/**
 * Stores the bytes of a file, which is not empty, as a content: an object is sent while the next one is read. Returns their
 * SHA-256. Throws `ShortFile` for a file that is shorter, and the signal's reason. The content is garbage then.
 */
export async function storeFile(
  { objects, digests }: FileStorage,
  file: FileHandle,
  { content, size, onBytes = () => {}, signal }: StoredFileOptions,
): Promise<string> {
  const digest = digests.open(['sha256'])
  let sending: Promise<unknown> = Promise.resolve()
  try {
    let offset = 0
    for (let position = 0; offset < size; position++) {
      // Not from a pool: a request may hold it for long.
      const memory = new SharedArrayBuffer(Math.min(size - offset, objectSizeAt(offset), maxBytes))
      const bytes = Buffer.from(memory)
      await readFully(file, bytes, offset)
      offset += bytes.length
      const value = await digest.add({ memory }, bytes.length)
      await sending
      const body = { size: bytes.length, checksum: { algorithm: 'crc32' as const, value }, open: () => bytes }
      sending = objects.store({ content, position }, body, { signal }).then(() => onBytes(bytes.length))
      // Prevents an unhandled rejection while the next one is read: it is awaited after that.
      sending.catch(() => {})
    }
    await sending
    return (await digest.digest('sha256'))!
  } finally {
    // Its request ends before its object becomes garbage.
    await sending.catch(() => {})
    digest.forget()
  }
}

async function readFully(file: FileHandle, buffer: Buffer, offset: number): Promise<void> {
  for (let filled = 0; filled < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, offset + filled)
    if (bytesRead === 0) throw new ShortFile()
    filled += bytesRead
  }
}

/** Two of them are in memory. */
const maxBytes = 32 * 1024 ** 2
