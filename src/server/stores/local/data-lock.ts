import { randomUUID } from 'node:crypto'
import { type FileHandle, link, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { fileFault, isMissing } from '../../../protocol/file-errors.js'
import { Problem } from '../../../protocol/problems.js'
import { processExists } from '../../../protocol/process-exists.js'
import { startTimeOf } from '../common/process-start.js'

export interface DataLock {
  /** Releases the folder. */
  release(): Promise<void>
}

export interface DataLockOptions {
  /** The interval at which a holder renews its lock; default 5 s. */
  heartbeatMs?: number
  /**
   * How long a lock may be unrenewed before its holder counts as gone, if it cannot be looked up because it ran under
   * another host name; default 20 s.
   */
  silenceMs?: number
}

/**
 * Ensures that only one process at a time uses the folder. The lock of an ended process is taken over. Throws `busy`
 * naming a running holder.
 */
export async function lockDataFolder(dataFolder: string, options: DataLockOptions = {}): Promise<DataLock> {
  const { heartbeatMs = 5000, silenceMs = 20_000 } = options
  const path = join(dataFolder, 'lock')
  const folder = await identify(dataFolder)
  const content = `${JSON.stringify(await describeSelf(folder))}\n`
  const temporary = `${path}.${randomUUID()}`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(content)
    // A link, unlike a rename, fails if the name exists: of two concurrent starts, one wins.
    while (!(await tryLink(temporary, path))) await clearStale(path, folder, silenceMs)
  } catch (error) {
    await file.close()
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
  return hold(file, path, content, heartbeatMs)
}

interface Holder {
  pid: number
  /**
   * From /proc: distinguishes a process from a later one with the same number, because every container's server is
   * process 1.
   */
  startTime: string | null
  host: string
  token: string
  /**
   * The identity of the locked folder: in a copied folder, the lock does not match. Missing in locks of earlier
   * versions.
   */
  folder?: FolderIdentity | undefined
}

interface FolderIdentity {
  device: string
  inode: string
}

const holderSchema = z.object({
  pid: z.int().positive(),
  startTime: z.string().nullable(),
  host: z.string(),
  token: z.string(),
  folder: z.object({ device: z.string(), inode: z.string() }).optional(),
})

function hold(file: FileHandle, path: string, content: string, heartbeatMs: number): DataLock {
  // Written instead of touched, so that the file's time comes from the disk's own clock.
  const beat = () => void file.write(content, 0).catch(() => {})
  const timer = setInterval(beat, heartbeatMs).unref()
  return {
    async release() {
      clearInterval(timer)
      await file.close()
      if ((await readIfThere(path)) === content) await rm(path, { force: true })
    },
  }
}

/** Removes the lock if its holder is gone or uses another folder. Throws `busy` if it is running. */
async function clearStale(path: string, folder: FolderIdentity, silenceMs: number): Promise<void> {
  const text = await readIfThere(path)
  if (text === null) return
  const holder = parseHolder(text)
  if (!isCopied(holder, folder) && (await isAlive(holder, path, silenceMs))) throw inUse(path, holder)
  // Another process may be taking it over at the same time: the moved lock must be the examined one.
  const aside = `${path}.${randomUUID()}`
  await rename(path, aside).catch(ignoreMissing)
  const moved = await readIfThere(aside)
  if (moved !== null && moved !== text) await tryLink(aside, path)
  await rm(aside, { force: true })
}

/** Whether the lock came with a copy of the folder. Device numbers are meaningful on one machine only. */
function isCopied(holder: Holder | null, folder: FolderIdentity): boolean {
  if (!holder?.folder) return false
  if (holder.folder.inode !== folder.inode) return true
  return holder.host === hostname() && holder.folder.device !== folder.device
}

async function isAlive(holder: Holder | null, path: string, silenceMs: number): Promise<boolean> {
  if (holder?.host === hostname()) {
    const startTime = await startTimeOf(holder.pid)
    if (startTime !== undefined) return startTime === holder.startTime
    return processExists(holder.pid)
  }
  return isBeating(path, silenceMs)
}

/** Waits for a renewal by a holder that cannot be looked up. */
async function isBeating(path: string, silenceMs: number): Promise<boolean> {
  const lastBeat = await modifiedAt(path)
  const silentFor = Math.max(0, Date.now() - lastBeat)
  for (let waited = silentFor; waited < silenceMs; waited += 250) {
    await delay(250)
    const beat = await modifiedAt(path)
    if (beat !== lastBeat) return beat !== 0
  }
  return false
}

async function modifiedAt(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    (error) => {
      ignoreMissing(error)
      return 0
    },
  )
}

async function identify(folder: string): Promise<FolderIdentity> {
  const { dev, ino } = await stat(folder, { bigint: true })
  return { device: String(dev), inode: String(ino) }
}

async function describeSelf(folder: FolderIdentity): Promise<Holder> {
  return {
    pid: process.pid,
    startTime: (await startTimeOf(process.pid)) ?? null,
    host: hostname(),
    token: randomUUID(),
    folder,
  }
}

function parseHolder(text: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

function inUse(path: string, holder: Holder | null): Problem {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process'
  const advice = 'Stop it first, or choose another folder with --data.'
  return new Problem('busy', `Another filejobs server works on this data folder (${who}, by ${path}). ${advice}`)
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (fileFault(error) === 'exists') return false
    throw error
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    ignoreMissing(error)
    return null
  }
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error
}
