import { createHash, randomUUID } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileFault } from '../../protocol/file-errors.js'
import { linesOf } from './sorted-lines.js'
import { type FileTimes, isSameState, type LocalFile } from './walk.js'

/** The digests of the files of a folder, so that unchanged ones need not be read. */
export interface DigestCache {
  /** The digest of a file that has not changed since it was added. Ask in the order of the names. */
  find(file: LocalFile): string | undefined
  /** Adds the digest of a file that was read at `readAtMs`, unless a later change could leave its times as they are. */
  add(file: LocalFile, sha256: string, readAtMs: number): void
  /** Saves what was found and added. A cache that cannot be saved is no error. */
  close(): void
}

/**
 * The cache of a folder: a file of the cache folder with one line for each file, sorted by name. It is read as a stream and
 * replaced by a rename, so that a torn or concurrent write costs digests, never correctness.
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
  readonly #entries: Generator<CachedDigest>
  #next: CachedDigest | undefined
  /** The positions of the saved entries that are still right. */
  readonly #kept = new Set<number>()
  #read = 0
  readonly #added: CachedDigest[] = []

  constructor(folder: string, file: string, descriptor: number | undefined) {
    this.#folder = folder
    this.#file = file
    this.#descriptor = descriptor
    this.#entries = entriesOf(descriptor)
    this.#next = this.#entries.next().value
  }

  find(file: LocalFile): string | undefined {
    while (this.#next && this.#next.name < file.name) this.#advance()
    const entry = this.#next
    if (entry?.name !== file.name || !isSameState(entry, file)) return undefined
    this.#kept.add(this.#read)
    return entry.sha256
  }

  add(file: LocalFile, sha256: string, readAtMs: number): void {
    const newest = Math.max(Number(file.mtimeNs), Number(file.ctimeNs)) / 1_000_000
    // A second change within the resolution of the file system's clock is not visible in the times. Times of the future
    // mean that a clock was set.
    if (newest > readAtMs - distrustedMs) return
    const { name, size, mtimeNs, ctimeNs, ino } = file
    this.#added.push({ name, size, mtimeNs, ctimeNs, ino, sha256 })
  }

  close(): void {
    while (this.#next) this.#advance()
    try {
      if (this.#added.length > 0 || this.#kept.size < this.#read) this.#save()
    } catch (error) {
      if (fileFault(error) === undefined) throw error
    } finally {
      if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    }
  }

  #advance(): void {
    this.#next = this.#entries.next().value
    this.#read += 1
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
    for (const entry of entriesOf(this.#descriptor)) {
      for (; next < added.length && added[next]!.name <= entry.name; next += 1) yield added[next]!
      if (this.#kept.has(position) && added[next - 1]?.name !== entry.name) yield entry
      position += 1
    }
    yield* added.slice(next)
  }
}

interface CachedDigest extends FileTimes {
  readonly name: string
  readonly sha256: string
}

function* entriesOf(descriptor: number | undefined): Generator<CachedDigest> {
  if (descriptor === undefined) return
  let last = ''
  for (const line of linesOf(descriptor)) {
    const entry = parseEntry(line)
    if (!entry || entry.name <= last) continue
    last = entry.name
    yield entry
  }
}

function formatEntry({ name, size, mtimeNs, ctimeNs, ino, sha256 }: CachedDigest): string {
  return `${JSON.stringify([name, size, String(mtimeNs), String(ctimeNs), String(ino), sha256])}\n`
}

/** Undefined for a damaged line. */
function parseEntry(line: string): CachedDigest | undefined {
  try {
    const [name, size, mtime, ctime, ino, sha256] = JSON.parse(line) as unknown[]
    if (typeof name !== 'string' || typeof size !== 'number' || !/^[0-9a-f]{64}$/.test(String(sha256))) return undefined
    const [mtimeNs, ctimeNs, inode] = [mtime, ctime, ino].map((value) => BigInt(String(value))) as [
      bigint,
      bigint,
      bigint,
    ]
    return { name, size, mtimeNs, ctimeNs, ino: inode, sha256: String(sha256) }
  } catch {
    return undefined
  }
}

function openIfReadable(file: string): number | undefined {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if (fileFault(error) === undefined) throw error
    return undefined
  }
}

/** Removes caches that were not changed for a long time, and temporary files of runs that were killed. */
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
