import { randomUUID } from 'node:crypto'
import { type FileHandle, link, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { Problem } from '../../../protocol/problems.js'
import { processExists, startTimeOf } from './process-start.js'

export interface DataLock {
  /** Gives the folder free. */
  release(): Promise<void>
}

export interface DataLockOptions {
  /** How often a holder shows that it lives; default 5 s. */
  heartbeatMs?: number
  /** After how much silence a holder that cannot be looked up, because it ran under another host name, counts as gone; default 20 s. */
  silenceMs?: number
}

/**
 * Makes sure that one process at a time works on the folder. The lock of a process that is gone is taken over.
 * Throws `busy` naming the holder while it lives.
 */
export async function lockDataFolder(dataFolder: string, options: DataLockOptions = {}): Promise<DataLock> {
  const { heartbeatMs = 5000, silenceMs = 20_000 } = options
  const path = join(dataFolder, 'lock')
  const content = `${JSON.stringify(await describeSelf())}\n`
  const temporary = `${path}.${randomUUID()}`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(content)
    // A link, unlike a rename, fails when the name is there: of two that start together, one wins.
    while (!(await tryLink(temporary, path))) await clearStale(path, silenceMs)
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
  /** From /proc: tells a process from a later one of the same number, as every container's server is process 1. */
  startTime: string | null
  host: string
  token: string
}

const holderSchema = z.object({
  pid: z.int().positive(),
  startTime: z.string().nullable(),
  host: z.string(),
  token: z.string(),
})

function hold(file: FileHandle, path: string, content: string, heartbeatMs: number): DataLock {
  // Written instead of touched, so that the file's time is that of the disk's own clock.
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

/** Removes the lock when its holder is gone. Throws `busy` when it lives. */
async function clearStale(path: string, silenceMs: number): Promise<void> {
  const text = await readIfThere(path)
  if (text === null) return
  const holder = parseHolder(text)
  if (await isAlive(holder, path, silenceMs)) throw inUse(path, holder)
  // Another may be taking it over at the same time: what was moved away must be what was judged.
  const aside = `${path}.${randomUUID()}`
  await rename(path, aside).catch(ignoreMissing)
  const moved = await readIfThere(aside)
  if (moved !== null && moved !== text) await tryLink(aside, path)
  await rm(aside, { force: true })
}

async function isAlive(holder: Holder | null, path: string, silenceMs: number): Promise<boolean> {
  if (holder?.host === hostname()) {
    const startTime = await startTimeOf(holder.pid)
    if (startTime !== undefined) return startTime === holder.startTime
    return processExists(holder.pid)
  }
  return isBeating(path, silenceMs)
}

/** Watches for a sign of life from a holder that cannot be looked up. */
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

async function describeSelf(): Promise<Holder> {
  return {
    pid: process.pid,
    startTime: (await startTimeOf(process.pid)) ?? null,
    host: hostname(),
    token: randomUUID(),
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
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
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
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
  throw error
}
