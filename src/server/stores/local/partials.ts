import { open } from 'node:fs/promises'
import pLimit from 'p-limit'
import { WeightedLimit } from '../../concurrency/weighted-limit.js'
import { diskFull, isDiskFull } from '../disk-full.js'
import type { AbandonedPartial, PartialFile, Partials } from '../partials.js'
import { missingAsUndefined } from './missing.js'
import { LocalPartialFile, type PartialServices } from './partial-file.js'
import { findPartial, listPartials, measurePartials, partialPath, removePartial, writeState } from './partial-folder.js'
import { WriteThread } from './write-thread.js'

/** Partials as files in `partial/`. One server at a time uses the folder: partials found at the start are abandoned. */
export class LocalPartials implements Partials {
  readonly #services: PartialServices

  constructor(services: Omit<PartialServices, 'bulk' | 'syncs' | 'writes' | 'closing'>) {
    this.#services = {
      ...services,
      bulk: new WeightedLimit(bulkLimits),
      syncs: pLimit(2),
      writes: new WriteThread(),
      closing: new Set(),
    }
  }

  async create(id: string): Promise<PartialFile> {
    const path = partialPath(this.#services.folder, id)
    const handle = await open(path, 'wx+', 0o600).catch((error) => {
      throw isDiskFull(error) ? diskFull(error) : error
    })
    return new LocalPartialFile(id, path, handle, { size: 0, hasState: false }, this.#services)
  }

  /** Its digest is computed again from the first byte, behind the next writes. */
  async take(id: string): Promise<PartialFile | undefined> {
    const path = partialPath(this.#services.folder, id)
    const handle = await open(path, 'r+').catch(missingAsUndefined)
    if (!handle) return undefined
    const { size } = await handle.stat()
    return new LocalPartialFile(id, path, handle, { size, hasState: true }, this.#services)
  }

  saveState(id: string, state: object): Promise<void> {
    return writeState(this.#services.folder, id, state)
  }

  find(id: string): Promise<AbandonedPartial | undefined> {
    return findPartial(this.#services.folder, id)
  }

  listAbandoned(): Promise<AbandonedPartial[]> {
    return listPartials(this.#services.folder)
  }

  remove(id: string): Promise<void> {
    return removePartial(this.#services.folder, id)
  }

  usage(): Promise<{ count: number; bytes: number }> {
    return measurePartials(this.#services.folder)
  }

  close(): Promise<void> {
    return this.#services.writes.close()
  }

  /** Resolves when the removed ones are closed. */
  async closed(): Promise<void> {
    await Promise.all(this.#services.closing)
  }
}

/** Three threads, so that other work finds one even where Node has its four; of small writes, which take one for some microseconds, more. */
const bulkLimits = { least: 3, most: 1024 ** 2 }
