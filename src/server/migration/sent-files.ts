import { createHash, hash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { Checksum, SentBytes } from '../stores/s3/bucket-requests.js'
import type { FileRow } from '../stores/s3/file-rows.js'
import type { ContentPlace, Objects } from '../stores/s3/objects.js'
import type { SourceFile } from './source-folder.js'

/** Why a file was not sent. */
export class Unsendable extends Error {
  /** Whether its bytes are not those that were stored. */
  readonly isDamage: boolean

  constructor(why: string, isDamage: boolean) {
    super(why)
    this.name = 'Unsendable'
    this.isDamage = isDamage
  }
}

/** A file of at most this size is sent together with others. */
export const smallBytes = 1024 ** 2

/** Reads small files, and stores them side by side. Returns their rows, or what prevented each. */
export async function sendSmall(objects: Objects, files: readonly SourceFile[]): Promise<(FileRow | Unsendable)[]> {
  const places: (ContentPlace & { body: SentBytes })[] = []
  const results = await Promise.all(
    files.map((file) =>
      reading(file, async (handle) => {
        const bytes = await readFully(handle, 0, file.size)
        const row = checkedRow(file, hash('sha256', bytes))
        const body = bodyOf(bytes, { algorithm: 'sha256', value: row.sha256 })
        if (bytes.length > 0) places.push({ content: row.content, position: 0, body })
        return row
      }),
    ),
  )
  const isSent = new Set(results.flatMap((result) => ('content' in result ? result.content : [])))
  await objects.storeAll(places.filter(({ content }) => isSent.has(content)))
  return results
}

/**
 * Stores a file of any size: its objects one after the other, while the next one is read. They are
 * garbage unless a row is returned.
 */
export async function sendLarge(
  objects: Objects,
  file: SourceFile,
  { content, onBytes }: { content: string; onBytes: (bytes: number) => void },
): Promise<FileRow | Unsendable> {
  return reading(file, async (handle) => {
    const whole = createHash('sha256')
    let sending: Promise<unknown> = Promise.resolve()
    let offset = 0
    try {
      for (let position = 0; offset < file.size; position++) {
        const bytes = await readFully(handle, offset, Math.min(file.size - offset, objectBytes(offset)))
        whole.update(bytes)
        offset += bytes.length
        const value = crc32(bytes).toString(16).padStart(8, '0')
        await sending
        const body = bodyOf(bytes, { algorithm: 'crc32', value })
        sending = objects.store({ content, position }, body).then(() => onBytes(bytes.length))
        // Prevents an unhandled rejection while the next one is read: it is awaited after that.
        sending.catch(() => {})
      }
      await sending
    } finally {
      // Its request ends before its object becomes garbage.
      await sending.catch(() => {})
    }
    return checkedRow(file, whole.digest('hex'), content)
  })
}

/** Fails for a file that another program changes meanwhile: what was read of it may be a mixture. */
async function reading(
  file: SourceFile,
  work: (handle: FileHandle) => Promise<FileRow>,
): Promise<FileRow | Unsendable> {
  if (file.isDamaged) return new Unsendable('its bytes are not those that were stored', true)
  let handle: FileHandle
  try {
    handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    return new Unsendable(`it cannot be read (${(error as NodeJS.ErrnoException).code})`, false)
  }
  try {
    const before = await handle.stat({ bigint: true })
    const row = await work(handle)
    const after = await handle.stat({ bigint: true })
    const isSame = after.ctimeNs === before.ctimeNs && Number(after.size) === file.size
    return isSame ? row : changed()
  } catch (error) {
    if (error instanceof Unsendable) return error
    throw error
  } finally {
    await handle.close()
  }
}

async function readFully(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled)
    if (bytesRead === 0) throw changed()
    filled += bytesRead
  }
  return buffer
}

function bodyOf(bytes: Buffer, checksum: Checksum): SentBytes {
  return { size: bytes.length, checksum, open: () => bytes }
}

function checkedRow(file: SourceFile, found: string, content: string = randomUUID()): FileRow {
  const { name, size, sha256, type, publishedAt, isDateStrong } = file
  if (sha256 !== null && sha256 !== found) {
    throw new Unsendable(`its SHA-256 is ${found}, but ${sha256} was recorded`, true)
  }
  return { name, content, size, sha256: found, type, publishedAt, isDateStrong }
}

function changed(): Unsendable {
  return new Unsendable('another program has changed it meanwhile', false)
}

function objectBytes(offset: number): number {
  return offset < 1024 ** 3 ? 8 * 1024 ** 2 : 32 * 1024 ** 2
}
