import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type FileFault, fileFault, isMissing } from '../../protocol/file-errors.js'
import { processExists } from '../../protocol/process-exists.js'
import { parseObject } from '../settings.js'

/** The resume state of an unfinished transfer, so that a later run of the same command resumes it. */
export interface TransferState {
  /**
   * Claims the state that an earlier run has saved; `busy` while that run is still active, undefined if there is none.
   */
  recall(): Promise<Readonly<Record<string, string>> | 'busy' | undefined>
  /**
   * Returns whether the state was saved: a transfer does not fail because the folder is not writable. Also removes
   * states of other transfers older than 30 days.
   */
  save(saved: Readonly<Record<string, string>>): Promise<boolean>
  /** Removing a missing state is not an error. */
  forget(): Promise<void>
}

/** A state in a file of the folder, identified by the properties of the transfer. */
export function openTransferState(folder: string, key: readonly (string | number | boolean)[]): TransferState {
  const file = join(folder, `${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32)}.json`)
  const temporary = `${file}.${process.pid}`
  const write = async (saved: Readonly<Record<string, string>>, pid: number) => {
    // Not into `temporary`: it may be the only copy, and a kill may leave what is written here incomplete.
    const next = `${temporary}.new`
    // The key is stored so that a reader of the file sees which transfer it belongs to.
    await writeFile(next, `${JSON.stringify({ ...saved, pid, key })}\n`, { mode: 0o600 })
    await rename(next, temporary)
    await rename(temporary, file)
  }
  return {
    recall: () =>
      ifUsable(undefined, async () => {
        if (isHeld(await readNotes(file))) return 'busy'
        // A unique name: if two processes claim the state, one gets it.
        await rename(file, temporary).catch((error) => {
          ignoreMissing(error)
          return claimAbandoned(folder, file, temporary)
        })
        const found = await readNotes(temporary)
        if (typeof found?.pid !== 'number') {
          await rm(temporary, { force: true })
          return undefined
        }
        const { pid, key: _key, ...saved } = found
        await write(onlyTexts(saved), isHeld(found) ? pid : process.pid)
        return isHeld(found) ? 'busy' : onlyTexts(saved)
      }),
    save: (saved) =>
      ifUsable(false, async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await write(saved, process.pid)
        await removeOld(folder)
        return true
      }),
    forget: () => ifUsable(undefined, () => rm(file, { force: true })),
  }
}

/** Takes over the state of a run that was killed while it claimed or saved it. */
async function claimAbandoned(folder: string, file: string, temporary: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    const pid = path.startsWith(`${file}.`) ? Number(path.slice(file.length + 1)) : Number.NaN
    if (Number.isInteger(pid) && pid !== process.pid && !processExists(pid))
      return rename(path, temporary).catch(ignoreMissing)
  }
}

/** The result of the work, or `otherwise` if the folder cannot be read or written. */
async function ifUsable<T>(otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const fault = fileFault(error)
    if (fault && unusable.includes(fault)) return otherwise
    throw error
  }
}

const unusable: readonly FileFault[] = ['forbidden', 'read-only', 'below-file', 'full', 'over-quota']

/**
 * Removes states that were not used for a month; by default the server keeps an upload for a day. Failures are ignored.
 */
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
/** Names that end with a number, or with `new`, are temporary files of a run that was killed. */
const isOurs = /^[0-9a-f]{32}\.json(\.\d+(\.new)?)?$/

async function readNotes(file: string): Promise<Record<string, unknown> | undefined> {
  try {
    return parseObject(await readFile(file, 'utf8'))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** By another process that is still running. */
function isHeld(saved: Record<string, unknown> | undefined): boolean {
  return typeof saved?.pid === 'number' && saved.pid !== process.pid && processExists(saved.pid)
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error
}

function onlyTexts(saved: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(saved).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
