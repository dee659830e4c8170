import { createHash, randomUUID } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileFault } from '../../protocol/file-errors.js'
import { linesOf } from './sorted-lines.js'
import { type FileTimes, isSameState, type LocalFile } from './walk.js'

/** Remembers the digests of a folder's files, so that unchanged files need not be read. */
export interface DigestCache {
  /** Returns the digest if the file has not changed since it was added. Call it in the order of the names. */
  find(file: LocalFile): string | undefined
  /** Adds the digest of a file that was read at `readAtMs`, unless a later change might not show in its times. */
  add(file: LocalFile, sha256: string, readAtMs: number): void
  /** Saves the entries that were found or added. A failure to save is ignored. */
  close(): void
}

/**
 * Opens the cache of a folder: a file in the cache folder with one line per file, sorted by name. It is read as a stream
 * and replaced by a rename: a torn or concurrent write loses digests, but never yields a wrong one.
 */
export function openDigestCache(cacheFolder: string, key: readonly string[]): DigestCache {
  const file = join(
    cacheFolder,
    `${createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32)}.ndjson`,
  )
  return new FileCache(cacheFolder, file, openIfReadable(file))
}

class FileCache implements DigestCache {
  readonly #folder: string
  readonly #file: string
  readonly #descriptor: number | undefined
  readonly #batches: Generator<CachedDigest[]>
  /** The current batch of entries, and the position of the next entry in it. */
  #batch: CachedDigest[] = []
  #at = 0
  /** Whether the next entry is still valid. */
  #isKept = false
  #read = 0
  /** The positions of outdated entries. */
  readonly #dropped = new Set<number>()
  readonly #added: CachedDigest[] = []

  constructor(folder: string, file: string, descriptor: number | undefined) {
    this.#folder = folder
    this.#file = file
    this.#descriptor = descriptor
    this.#batches = entriesOf(descriptor)
  }

  find(file: LocalFile): string | undefined {
    let entry = this.#next()
    for (; entry && entry.name < file.name; entry = this.#next()) this.#advance()
    if (entry?.name !== file.name || !isSameState(entry, file)) return undefined
    this.#isKept = true
    return entry.sha256
  }

  add(file: LocalFile, sha256: string, readAtMs: number): void {
    const { name, size, mtimeMs, ctimeMs, ino } = file
    // A second change within the resolution of the file system's clock does not change the times. Times in the future
    // mean that a clock was set.
    if (Math.max(mtimeMs, ctimeMs) > readAtMs - distrustedMs) return
    this.#added.push({ name, size, mtimeMs, ctimeMs, ino, sha256 })
  }

  close(): void {
    while (this.#next()) this.#advance()
    try {
      if (this.#added.length > 0 || this.#dropped.size > 0) this.#save()
    } catch (error) {
      if (fileFault(error) === undefined) throw error
    } finally {
      if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    }
  }

  #next(): CachedDigest | undefined {
    while (this.#at === this.#batch.length) {
      const { done, value } = this.#batches.next()
      if (done) return undefined
      this.#batch = value
      this.#at = 0
    }
    return this.#batch[this.#at]
  }

  #advance(): void {
    if (!this.#isKept) this.#dropped.add(this.#read)
    this.#isKept = false
    this.#read += 1
    this.#at += 1
  }

  #save(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    removeOld(this.#folder)
    const temporary = `${this.#file}.${randomUUID()}`
    const descriptor = openSync(temporary, 'wx', 0o600)
    try {
      let text = ''
      for (const entry of this.#merged()) {
        text += formatEntry(entry)
        if (text.length < chunkCharacters) continue
        writeSync(descriptor, text)
        text = ''
      }
      writeSync(descriptor, text)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, this.#file)
  }

  *#merged(): Generator<CachedDigest> {
    const added = this.#added.sort((a, b) => (a.name < b.name ? -1 : 1))
    let next = 0
    let position = 0
    for (const entry of eachOf(entriesOf(this.#descriptor))) {
      for (; next < added.length && added[next]!.name <= entry.name; next += 1) yield added[next]!
      if (!this.#dropped.has(position) && added[next - 1]?.name !== entry.name) yield entry
      position += 1
    }
    yield* added.slice(next)
  }
}

interface CachedDigest extends FileTimes {
  readonly name: string
  readonly sha256: string
}

function* entriesOf(descriptor: number | undefined): Generator<CachedDigest[]> {
  if (descriptor === undefined) return
  let last = ''
  for (const lines of linesOf(descriptor)) {
    yield parseLines(lines).filter(({ name }) => {
      const isNext = name > last
      if (isNext) last = name
      return isNext
    })
  }
}

function* eachOf<T>(batches: Iterable<T[]>): Generator<T> {
  for (const batch of batches) yield* batch
}

function formatEntry({ name, size, mtimeMs, ctimeMs, ino, sha256 }: CachedDigest): string {
  return `${JSON.stringify([name, size, mtimeMs, ctimeMs, ino, sha256])}\n`
}

/** Parses many lines at once, in a third of the time. Skips damaged lines. */
function parseLines(lines: readonly string[]): CachedDigest[] {
  const values = parseJson(`[${lines.join(',')}]`) ?? lines.map(parseJson)
  return Array.isArray(values) ? values.flatMap((value) => parseEntry(value) ?? []) : []
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function parseEntry(value: unknown): CachedDigest | undefined {
  if (!Array.isArray(value)) return undefined
  const [name, size, mtimeMs, ctimeMs, ino, sha256] = value as unknown[]
  if (typeof name !== 'string' || typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined
  if (typeof size !== 'number' || typeof mtimeMs !== 'number') return undefined
  if (typeof ctimeMs !== 'number' || typeof ino !== 'number') return undefined
  return { name, size, mtimeMs, ctimeMs, ino, sha256 }
}

function openIfReadable(file: string): number | undefined {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if (fileFault(error) === undefined) throw error
    return undefined
  }
}

/** Removes caches that have not changed for a long time, and temporary files of killed runs. */
function removeOld(folder: string): void {
  const now = Date.now()
  for (const name of readdirSync(folder)) {
    const keptMs = isTemporary.test(name) ? temporaryMs : keptDays * 24 * 60 * 60_000
    const path = join(folder, name)
    const found = statSync(path, { throwIfNoEntry: false })
    if (isOurs.test(name) && found && found.mtimeMs < now - keptMs) rmSync(path, { force: true })
  }
}

const distrustedMs = 2_000
const chunkCharacters = 256 * 1024
const keptDays = 90
const temporaryMs = 60 * 60_000
const isOurs = /^[0-9a-f]{32}\.ndjson(\.[0-9a-f-]{36})?$/
const isTemporary = /\.[0-9a-f-]{36}$/
