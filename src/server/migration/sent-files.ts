import { hash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { SentBytes } from '../stores/s3/bucket-requests.js'
import type { FileRow } from '../stores/s3/file-rows.js'
import type { ContentPlace, Objects } from '../stores/s3/objects.js'
import { type FileStorage, ShortFile, storeFile } from '../stores/s3/stored-file.js'
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
        const checksum = { algorithm: 'sha256' as const, value: row.sha256 }
        const body = { size: bytes.length, checksum, open: () => bytes }
        if (bytes.length > 0) places.push({ content: row.content, position: 0, body })
        return row
      }),
    ),
  )
  const isSent = new Set(results.flatMap((result) => ('content' in result ? result.content : [])))
  await objects.storeAll(places.filter(({ content }) => isSent.has(content)))
  return results
}

/** Stores a file that is not empty. What is stored is garbage unless a row is returned. */
export async function sendLarge(
  storage: FileStorage,
  file: SourceFile,
  { content, onBytes }: { content: string; onBytes: (bytes: number) => void },
): Promise<FileRow | Unsendable> {
  return reading(file, async (handle) => {
    const sha256 = await storeFile(storage, handle, { content, size: file.size, onBytes }).catch((error) => {
      throw error instanceof ShortFile ? changed() : error
    })
    return checkedRow(file, sha256, content)
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
