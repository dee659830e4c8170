import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { Mutex } from '../../concurrency/mutex.js'
import { isDiskFull } from '../disk-full.js'
import { rememberFolder } from './folder-identity.js'

/** Reserved space for what must work on a full disk: logins, removals, stops and the history of jobs. */
export interface DiskReserve {
  /** Runs `work` and, if the disk is full, runs it again with the reserve released meanwhile. */
  use<T>(work: () => Promise<T>): Promise<T>
  /** Bytes of the reserve that are currently not on disk: free space that must not be promised to others. */
  missingBytes(): number
  /** Restores the reserve as far as there is space. */
  refill(): Promise<void>
  close(): Promise<void>
}

export type ReserveUse = Pick<DiskReserve, 'use'>

/** For stores that are opened without a reserve. */
export const noReserve: Pick<DiskReserve, 'use' | 'missingBytes'> = { use: (work) => work(), missingBytes: () => 0 }

export interface DiskReserveOptions {
  /** Default: a sixteenth of the disk, 8 MiB at most. */
  bytes?: number
  /** The interval of restoring it; default once a minute. */
  refillEveryMs?: number
}

/** Keeps the reserve in the file `reserve`. A full disk is no error: it is filled later. */
export async function openDiskReserve(
  dataFolder: string,
  { bytes, refillEveryMs = 60_000 }: DiskReserveOptions = {},
): Promise<DiskReserve> {
  const path = join(dataFolder, 'reserve')
  const target = bytes ?? (await defaultBytes(dataFolder))
  const checkFolder = await rememberFolder(dataFolder)
  let users = 0
  let filled = 0
  /** Serializes fills and releases of the file. */
  const changing = new Mutex()

  function change(step: (file: FileHandle) => Promise<number>): Promise<void> {
    return changing.run(async () => {
      await checkFolder()
      // Created again if an operator has removed it to gain space.
      const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
      filled = await step(file).finally(() => file.close())
    })
  }

  const refill = () => (users > 0 ? Promise.resolve() : change((file) => fill(file, target)))
  // A failed disk is reported by the next actual write.
  const refillQuietly = () => refill().catch(() => {})
  await refill().catch(ignoreFull)
  const timer = setInterval(() => void refillQuietly(), refillEveryMs).unref()

  return {
    async use(work) {
      try {
        return await work()
      } catch (error) {
        if (!isDiskFull(error)) throw error
      }
      users++
      try {
        // Without a reserve to release, the second attempt fails like the first.
        await change(giveUp).catch(() => {})
        return await work()
      } finally {
        users--
        // Before other writers take the remaining space.
        await refillQuietly()
      }
    },
    missingBytes: () => Math.max(0, target - filled),
    refill,
    async close() {
      clearInterval(timer)
      await changing.idle()
    },
  }
}

async function defaultBytes(folder: string): Promise<number> {
  const { blocks, bsize } = await statfs(folder)
  return Math.min(maxBytes, Math.floor((blocks * bsize) / 16))
}

function ignoreFull(error: unknown): void {
  if (!isDiskFull(error)) throw error
}

async function giveUp(file: FileHandle): Promise<number> {
  await file.truncate(0)
  return 0
}

/** Returns its size. Random bytes, because some file systems store others in no space. */
async function fill(file: FileHandle, target: number): Promise<number> {
  let { size } = await file.stat()
  const chunk = randomBytes(chunkBytes)
  try {
    while (size < target) size += (await file.write(chunk, 0, Math.min(chunk.length, target - size), size)).bytesWritten
  } catch (error) {
    if (!isDiskFull(error)) throw error
  }
  return size
}

const maxBytes = 8 * 1024 ** 2
const chunkBytes = 64 * 1024
