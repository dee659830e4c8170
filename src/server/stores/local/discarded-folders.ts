import { randomUUID } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Coalescer } from '../../concurrency/coalescer.js'
import type { Rename } from './folder-renames.js'

export interface DiscardedFoldersOptions {
  /** The folder of the partials: on the same file system as the published files. */
  folder: string
  /** Removes a folder with everything in it, without occupying the threads of other file operations. */
  removeTree(path: string): Promise<void>
  /** Called with the error of a removal, which the next one tries again. */
  onError(error: unknown): void
}

/** Folders that are removed in the background: what a rename has moved there is gone for everyone. */
export class DiscardedFolders {
  readonly #options: DiscardedFoldersOptions
  readonly #beingFilled = new Set<string>()
  readonly #sweeps = new Coalescer(() => this.#sweep())

  constructor(options: DiscardedFoldersOptions) {
    this.#options = options
  }

  /** Gives `fill` an empty folder to rename into. Its content is removed afterwards, also after a restart. */
  async fill<T>(fill: (place: string) => Promise<T>): Promise<T> {
    const place = join(this.#options.folder, `${randomUUID()}${ending}`)
    this.#beingFilled.add(place)
    try {
      await mkdir(place, { mode: 0o700 })
      return await fill(place)
    } finally {
      this.#beingFilled.delete(place)
      this.sweep()
    }
  }

  /** Removes everything discarded, in the background: after a start what an earlier run left. */
  sweep(): void {
    this.#sweeps.run().catch(this.#options.onError)
  }

  /** Resolves when nothing is being removed. */
  idle(): Promise<void> {
    return this.#sweeps.idle()
  }

  /** The paths of what is not removed yet. */
  async list(): Promise<string[]> {
    const { folder } = this.#options
    return (await readdir(folder)).filter((name) => name.endsWith(ending)).map((name) => join(folder, name))
  }

  async #sweep(): Promise<void> {
    const found = await this.list()
    for (const path of found) if (!this.#beingFilled.has(path)) await this.#options.removeTree(path)
  }
}

/** The renames that discard the files of a folder, and then their metadata. */
export function asRemoved(place: string, files: string, metadata: string): [Rename, ...Rename[]] {
  return [
    [files, join(place, 'files')],
    [metadata, join(place, 'metadata')],
  ]
}

const ending = '.discarded'
