import type { Stats } from 'node:fs'
import { type FileHandle, link, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode, Failure } from '../exit-codes.js'
import type { WriteAt } from './hash-and-write.js'

/** Where an export goes. */
export interface Target {
  readonly write: WriteAt
  /** What an earlier run has left here, which can be gone on with; null where nothing can. */
  readonly part: { readonly handle: FileHandle; readonly size: number } | null
  /** Forgets all that is there, `written` bytes of it by this run. Throws where they are out already. */
  restart(written: number): Promise<void>
  /** Makes what was written visible. */
  publish(): Promise<void>
  /** Leaves nothing behind, or with `keep` the part that was written; after `publish()`, only what is open is closed. */
  close(keep: boolean): Promise<void>
}

export interface TargetOptions {
  /** Whether what stands at the target, or at its part, may be replaced. */
  readonly force: boolean
  /** Whether the part that is there is known to be one that we can go on with; default false. */
  readonly isOurs?: boolean
}

/**
 * Opens a file's target: `TARGET.part`, renamed when it is whole. Devices and pipes are written to as they are. Throws a
 * Failure where a file is in the way, also a part of which nobody knows what wrote it.
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
    // An empty one is left alone: ext4 takes whatever is truncated for a replacement, and its close then waits for the disk.
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

/** A device has no places: what comes is written in the order of its coming. */
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

/** What is written here is out at once. */
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
    if (errorCode(error) !== 'ENOENT') throw error
    return undefined
  })
}

/** A file of its own: two programs that write the same part would mix what they write. */
async function createPart(part: string, force: boolean): Promise<FileHandle> {
  // An empty one is what is left of a run that ended before its first byte.
  if (force || (await stat(part).catch(() => undefined))?.size === 0) await rm(part, { force: true })
  return open(part, 'wx+').catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error
    throw new Failure(
      'refused',
      `${part} is in the way, and not of this export: move it away, use --force to replace it, or -o to write elsewhere.`,
    )
  })
}

/** A write may take less than it was given, on a full disk for one. */
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
    if (errorCode(error) === 'ENOENT') return 'nothing'
    throw error
  }
}

/** A rename would replace what has come while we were busy. */
async function renameToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw existing(to)
    // Some file systems know no links.
    if ((await findKind(to)) !== 'nothing') throw existing(to)
    return rename(from, to)
  }
  await rm(from)
}

/** Whether the file that was opened is still the one at `path`. */
async function isAt(path: string, { ino, dev }: Stats): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return ino === found?.ino && dev === found.dev
}

function existing(path: string): Failure {
  return new Failure('refused', `${path} exists already: use --force to replace it, or -o to write elsewhere.`)
}
