import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { roles } from '../../../protocol/roles.js'
import type { Space } from '../files.js'
import type { Listing } from './listing.js'
import { missingAsUndefined } from './missing.js'
import type { Verification } from './verification.js'

export interface RestoredFilesOptions {
  uploads: string
  listing: Listing
  verification: Verification
  /** Called with the error of each file that could not be compared. */
  onError(error: unknown): void
}

/** Finds restored files in the background and compares them with their digests, one at a time. */
export class RestoredFiles {
  readonly #options: RestoredFilesOptions
  readonly #spaces = new Map<string, Space>()
  readonly #closing = new AbortController()
  #running: Promise<void> | null = null

  constructor(options: RestoredFilesOptions) {
    // An abort by `close` is not a failure.
    const onError = (error: unknown) => this.#closing.signal.aborted || options.onError(error)
    this.#options = { ...options, onError }
  }

  /** Checks everything, as after a start: the folder may have been restored. Resolves when that is done, or was ended by `close`. */
  async checkAll(): Promise<void> {
    this.#run(async () => {
      for (const space of await this.#findSpaces()) this.#spaces.set(`${space.role}/${space.username}`, space)
    })
    await this.#running
  }

  /** Checks one account's files after some were found not to be compared yet. */
  check({ role, username }: Space): void {
    this.#spaces.set(`${role}/${username}`, { role, username })
    this.#run()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  #run(prepare = async () => {}): void {
    if (this.#running || this.#closing.signal.aborted) return
    this.#running = this.#work(prepare)
      .catch(this.#options.onError)
      .finally(() => {
        this.#running = null
      })
  }

  async #work(prepare: () => Promise<void>): Promise<void> {
    await prepare()
    for (const [key, space] of this.#spaces) {
      await this.#checkSpace(space)
      this.#spaces.delete(key)
    }
  }

  async #checkSpace(space: Space): Promise<void> {
    const { listing, verification, onError } = this.#options
    const { signal } = this.#closing
    for (let after = ''; ; ) {
      const page = await listing.list(space, { prefix: '', search: '', after, limit: namesPerPage })
      for (const { name, unverified } of page) {
        if (unverified) await verification.verify(space, name, { throttled: signal }).catch(onError)
        signal.throwIfAborted()
      }
      if (page.length < namesPerPage) return
      after = page.at(-1)!.name
      await delay(pauseMs, undefined, { signal, ref: false })
    }
  }

  async #findSpaces(): Promise<Space[]> {
    const { uploads } = this.#options
    const spaces: Space[] = []
    for (const role of roles) {
      const names = await readdir(join(uploads, role)).catch(missingAsUndefined)
      for (const username of names ?? []) spaces.push({ role, username })
    }
    return spaces
  }
}

const namesPerPage = 500
const pauseMs = 50
