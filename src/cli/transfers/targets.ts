import type { Stats } from 'node:fs'
import { type FileHandle, link, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileFault, isMissing } from '../../protocol/file-errors.js'
import { Failure } from '../exit-codes.js'
import type { WriteAt } from './hash-and-write.js'

/** The target of an export. */
export interface Target {
  readonly write: WriteAt
  /** The part of an earlier run that can be resumed; null if there is none. */
  readonly part: { readonly handle: FileHandle; readonly size: number } | null
  /** Discards everything, including `written` bytes of this run. Throws if they have already been output. */
  restart(written: number): Promise<void>
  /** Makes the written bytes visible. */
  publish(): Promise<void>
  /** Removes the part, or keeps it with `keep`; after `publish()`, only closes. */
  close(keep: boolean): Promise<void>
}

export interface TargetOptions {
  /** Whether an existing file at the target, or its part, may be replaced. */
  readonly force: boolean
  /** Whether the existing part is known to be resumable; default false. */
  readonly isOurs?: boolean
}

/**
 * Opens a file as the target: `TARGET.part`, renamed when it is complete. Devices and pipes are written to directly.
 * Throws a Failure if a file exists, including a part that no known export wrote.
 */
export async function openTarget(path: string, { force, isOurs = false }: TargetOptions): Promise<Target> {
  const found = await findKind(path)
  if (found === 'folder') throw new Failure('refused', `${path} is a folder: write ${path}/ to export into it.`)
  if (found === 'file' && !force) throw existing(path)
  await mkdir(dirname(path), { recursive: true })
  if (found === 'device') return openDevice(path)
  const part = `${path}.part`
  const handle = (isOurs && (await openIfThere(part))) || (await createPart(part, force))
  const opened = await handle.stat()
  const { size } = opened
  let published = false
  return {
    part: { handle, size },
    write: (chunk, position) => writeAll(handle, chunk, position),
    // Do not truncate an empty file: ext4 treats a truncated file as a replacement, and its close then waits for the
    // disk.
    restart: async (written) => {
      if (size > 0 || written > 0) await handle.truncate(0)
    },
    async publish() {
      await handle.close()
      if (!(await isAt(part, opened)))
        throw new Failure('refused', `${part} was replaced by another program meanwhile.`)
      if (force) await rename(part, path)
      else await renameToNew(part, path)
      published = true
    },
    async close(keep) {
      await handle.close()
      if (!published && !keep && (await isAt(part, opened))) await rm(part, { force: true })
    },
  }
}

/** Throws a Failure where a file is at `path`. */
export async function refuseExisting(path: string): Promise<void> {
  if ((await findKind(path)) === 'file') throw existing(path)
}

/** Writes to a stream, such as stdout, which is not closed. */
export function streamTarget(stream: NodeJS.WritableStream): Target {
  return {
    ...oneWay,
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stream.write(chunk, (error) => (error ? reject(error) : resolve()))
      }),
    async close() {},
  }
}

/** A device has no positions: bytes are written in order of arrival. */
async function openDevice(path: string): Promise<Target> {
  const handle = await open(path, 'w')
  let last: Promise<void> = Promise.resolve()
  return {
    ...oneWay,
    write(chunk) {
      last = last.then(() => writeAll(handle, chunk))
      return last
    },
    close: () => handle.close(),
  }
}

/** Written bytes cannot be taken back. */
const oneWay = {
  part: null,
  async publish() {},
  async restart(written: number) {
    if (written === 0) return
    throw new Failure(
      'unexpected',
      'The file has changed on the server, and what was sent on of it cannot be taken back.',
    )
  },
} as const

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r+').catch((error: unknown) => {
    if (!isMissing(error)) throw error
    return undefined
  })
}

/** A unique file: two programs that write the same part would mix their bytes. */
async function createPart(part: string, force: boolean): Promise<FileHandle> {
  // An empty one was left by a run that ended before its first byte.
  if (force || (await stat(part).catch(() => undefined))?.size === 0) await rm(part, { force: true })
  return open(part, 'wx+').catch((error: unknown) => {
    if (fileFault(error) !== 'exists') throw error
    throw new Failure(
      'refused',
      `${part} is in the way, and not of this export: move it away, use --force to replace it, or -o to write elsewhere.`,
    )
  })
}

/** A write may be partial, for example on a full disk. */
async function writeAll(handle: FileHandle, chunk: Buffer, position?: number): Promise<void> {
  let written = 0
  while (written < chunk.length) {
    const at = position === undefined ? undefined : position + written
    const { bytesWritten } = await handle.write(chunk, written, chunk.length - written, at)
    written += bytesWritten
  }
}

async function findKind(path: string): Promise<'nothing' | 'file' | 'folder' | 'device'> {
  try {
    const found = await stat(path)
    if (found.isFile()) return 'file'
    return found.isDirectory() ? 'folder' : 'device'
  } catch (error) {
    if (isMissing(error)) return 'nothing'
    throw error
  }
}

/** A rename would replace a file that was created meanwhile. */
async function renameToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (fileFault(error) === 'exists') throw existing(to)
    // Some file systems do not support hard links.
    if ((await findKind(to)) !== 'nothing') throw existing(to)
    return rename(from, to)
  }
  await rm(from)
}

/** Whether the opened file is still the one at `path`. */
async function isAt(path: string, { ino, dev }: Stats): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return ino === found?.ino && dev === found.dev
}

function existing(path: string): Failure {
  return new Failure('refused', `${path} exists already: use --force to replace it, or -o to write elsewhere.`)
}
