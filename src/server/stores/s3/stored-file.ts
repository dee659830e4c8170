import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { Objects } from './objects.js'

/** Stores the bytes of a file as a content, and returns their number. Throws the signal's reason. */
export async function storeFile(
  objects: Objects,
  content: string,
  path: string,
  signal?: AbortSignal,
): Promise<number> {
  const file = await open(path)
  try {
    let size = 0
    for (let position = 0; ; position++) {
      // Not from a pool: a request may hold it for long.
      const bytes = await readSome(file, Buffer.allocUnsafeSlow(objectBytes), size)
      if (bytes.length === 0) return size
      const checksum = { algorithm: 'crc32' as const, value: crc32(bytes).toString(16).padStart(8, '0') }
      await objects.store({ content, position }, { size: bytes.length, checksum, open: () => bytes }, { signal })
      size += bytes.length
    }
  } finally {
    await file.close()
  }
}

/** Fewer bytes than fit only at the end. */
async function readSome(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

const objectBytes = 8 * 1024 ** 2
