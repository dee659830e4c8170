import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../exit-codes.js'
import { parseObject } from '../settings.js'

/** What is remembered of one unfinished transfer, so that the same command goes on with it in a later run. */
export interface Memory {
  /**
   * What an earlier run has saved, which is this run's own from here on; `busy` while that run still goes on, undefined
   * where there is nothing.
   */
  recall(): Promise<Readonly<Record<string, string>> | 'busy' | undefined>
  /**
   * Answers whether it is saved: a transfer does not fail by a folder that cannot be written to. Removes, beside it, what
   * other transfers have left for more than 30 days.
   */
  save(notes: Readonly<Record<string, string>>): Promise<boolean>
  /** Forgetting twice is not an error. */
  forget(): Promise<void>
}

/** A memory in a file of the folder; whatever makes a transfer the same one is its key. */
export function openMemory(folder: string, key: readonly (string | number | boolean)[]): Memory {
  const file = join(folder, `${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32)}.json`)
  const temporary = `${file}.${process.pid}`
  const write = async (notes: Readonly<Record<string, string>>, pid: number) => {
    // The key is written down for whoever looks what this file is about.
    await writeFile(temporary, `${JSON.stringify({ ...notes, pid, key })}\n`, { mode: 0o600 })
    await rename(temporary, file)
  }
  return {
    recall: () =>
      ifUsable(undefined, async () => {
        if (isHeld(await readNotes(file))) return 'busy'
        // A name of our own: of two that come at once, one finds it.
        await rename(file, temporary).catch(ignoreMissing)
        const found = await readNotes(temporary)
        if (typeof found?.pid !== 'number') {
          await rm(temporary, { force: true })
          return undefined
        }
        const { pid, key: _key, ...notes } = found
        await write(onlyTexts(notes), isHeld(found) ? pid : process.pid)
        return isHeld(found) ? 'busy' : onlyTexts(notes)
      }),
    save: (notes) =>
      ifUsable(false, async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await write(notes, process.pid)
        await removeOld(folder)
        return true
      }),
    forget: () => ifUsable(undefined, () => rm(file, { force: true })),
  }
}

/** What the work answers with, or `otherwise` where the folder cannot be read or written. */
async function ifUsable<T>(otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (unusable.includes(errorCode(error) ?? '')) return otherwise
    throw error
  }
}

const unusable: readonly string[] = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOSPC', 'EDQUOT']

/** What nobody has come back to in a month: by default the server keeps it for a day. A transfer does not fail by it. */
async function removeOld(folder: string): Promise<void> {
  const oldest = Date.now() - keptDays * 24 * 60 * 60_000
  for (const name of await readdir(folder).catch(() => [])) {
    if (!isOurs.test(name)) continue
    const path = join(folder, name)
    const isOld = await stat(path).then(
      ({ mtimeMs }) => mtimeMs < oldest,
      () => false,
    )
    if (isOld) await rm(path, { force: true }).catch(() => {})
  }
}

const keptDays = 30
/** With a number at its end: what a run that was killed was about to write. */
const isOurs = /^[0-9a-f]{32}\.json(\.\d+)?$/

async function readNotes(file: string): Promise<Record<string, unknown> | undefined> {
  try {
    return parseObject(await readFile(file, 'utf8'))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** By another program that still goes on. */
function isHeld(notes: Record<string, unknown> | undefined): boolean {
  return typeof notes?.pid === 'number' && notes.pid !== process.pid && isAlive(notes.pid)
}

function ignoreMissing(error: unknown): void {
  if (errorCode(error) !== 'ENOENT') throw error
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

function onlyTexts(notes: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(notes).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
