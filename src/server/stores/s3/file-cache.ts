import { randomUUID } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessAborted } from '../../concurrency/abortable.js'

export interface FileCacheOptions {
  /** Empty at the start. */
  folder: string
  /** Of all files together, as far as they are not in use. */
  maxBytes: number
}

interface CachedFile {
  bytes: number
  users: number
  isReady: boolean
  ready: Promise<void>
  /** Ends its download. */
  unwanted: AbortController
}

/** Files of this machine, each under a key that never gets other bytes. The ones that were used least recently are removed. */
export class FileCache {
  readonly #options: FileCacheOptions
  /** The one that was used last is the last. */
  readonly #files = new Map<string, CachedFile>()
  readonly #removals = new Map<string, Promise<void>>()

  constructor(options: FileCacheOptions) {
    this.#options = options
  }

  /**
   * Keeps the file `key` until the returned function is called, once or again. `fetch` writes a missing one to a path; it is
   * called once for all waiting callers, and its signal aborts when all of them have given up. Throws its error, and the signal's
   * reason.
   */
  async use(
    key: string,
    { bytes, fetch }: { bytes: number; fetch: (path: string, signal: AbortSignal) => Promise<void> },
    signal: AbortSignal,
  ): Promise<() => void> {
    const file = this.#files.get(key) ?? this.#start(key, bytes, fetch)
    this.#touch(key, file)
    file.users++
    let isReleased = false
    const release = () => {
      if (!isReleased) this.#leave(key, file)
      isReleased = true
    }
    try {
      await unlessAborted(file.ready, signal)
      return release
    } catch (error) {
      release()
      throw error
    }
  }

  /** Takes a file, which must be on the same disk. */
  async adopt(key: string, path: string, bytes: number): Promise<void> {
    const fetch = (place: string) => rename(path, place)
    const release = await this.use(key, { bytes, fetch }, new AbortController().signal)
    release()
  }

  #start(key: string, bytes: number, fetch: (path: string, signal: AbortSignal) => Promise<void>): CachedFile {
    const unwanted = new AbortController()
    const file = { bytes, users: 0, isReady: false, ready: Promise.resolve(), unwanted }
    // Before it is fetched, so that room is made for it, too.
    this.#files.set(key, file)
    file.ready = this.#fetch(key, file, fetch)
    // Those who wait may have left.
    file.ready.catch(() => this.#forget(key, file))
    return file
  }

  async #fetch(
    key: string,
    file: CachedFile,
    fetch: (path: string, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { signal } = file.unwanted
    const path = join(this.#options.folder, `${randomUUID()}.tmp`)
    try {
      await this.#makeRoom()
      await this.#removals.get(key)
      await fetch(path, signal)
      signal.throwIfAborted()
      await rename(path, join(this.#options.folder, key))
      file.isReady = true
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
  }

  #leave(key: string, file: CachedFile): void {
    file.users--
    if (file.users > 0) return
    if (!file.isReady) {
      this.#forget(key, file)
      file.unwanted.abort(new Error('No request waits for the file any more.'))
    }
    this.#makeRoom().catch(() => {})
  }

  async #makeRoom(): Promise<void> {
    let total = 0
    for (const { bytes } of this.#files.values()) total += bytes
    const removed: Promise<void>[] = []
    for (const [key, file] of this.#files) {
      if (total <= this.#options.maxBytes) break
      if (file.users > 0 || !file.isReady) continue
      total -= file.bytes
      this.#files.delete(key)
      removed.push(this.#remove(key))
    }
    await Promise.all(removed)
  }

  async #remove(key: string): Promise<void> {
    const removal = rm(join(this.#options.folder, key), { force: true })
    this.#removals.set(key, removal)
    await removal.finally(() => this.#removals.delete(key))
  }

  #touch(key: string, file: CachedFile): void {
    this.#files.delete(key)
    this.#files.set(key, file)
  }

  #forget(key: string, file: CachedFile): void {
    if (this.#files.get(key) === file) this.#files.delete(key)
  }
}
