import type { BigIntStats } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Space } from '../files.js'
import type { Digests } from './digests.js'
import type { DescribedFile, Version } from './file-description.js'

/** A file whose bytes are not those that were stored. */
export interface Damage {
  space: Space
  name: string
  path: string
  /** The SHA-256 that was recorded when the file was stored, and the current one. */
  recorded: string
  found: string
}

export type Verdict = 'intact' | 'damaged' | 'unknown'

export interface LookedAt extends DescribedFile {
  path: string
  stats: BigIntStats
}

export interface VerificationServices {
  digests: Digests
  /** The current file; undefined if there is none. */
  look(space: Space, name: string): Promise<LookedAt | undefined>
  /** Holds the file's name while `work` runs. */
  lock(space: Space, name: string, work: () => Promise<void>): Promise<void>
  /** Records the result for the file with these `stats`. */
  adopt(space: Space, name: string, stats: BigIntStats, version: Version): Promise<void>
  onDamage(damage: Damage): void
}

/**
 * Compares restored files with their recorded digests, once each: in a copy of a data folder the inodes differ, and tar
 * keeps only the seconds of an mtime.
 */
export class Verification {
  readonly #services: VerificationServices
  readonly #underWay = new Map<string, Promise<Verdict>>()

  constructor(services: VerificationServices) {
    this.#services = services
  }

  /**
   * Reads the file and adopts its digest, or reports the damage. `unknown`: there was nothing to compare, or it was
   * replaced meanwhile.
   */
  verify(space: Space, name: string, options: { throttled?: AbortSignal } = {}): Promise<Verdict> {
    const key = `${space.role}/${space.username}/${name}`
    const underWay = this.#underWay.get(key)
    if (underWay) return underWay
    const verdict = this.#verify(space, name, options.throttled).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, verdict)
    return verdict
  }

  async #verify(space: Space, name: string, throttled: AbortSignal | undefined): Promise<Verdict> {
    const { look, lock, adopt, onDamage } = this.#services
    const before = await look(space, name)
    if (!before?.unverified) return before?.file.damaged ? 'damaged' : before?.version ? 'intact' : 'unknown'
    const { path, stats, unverified } = before
    const found = await this.#digest(path, Number(stats.size), throttled)
    let verdict: Verdict = 'unknown'
    await lock(space, name, async () => {
      const now = await look(space, name)
      if (now?.stats.ino !== stats.ino || now.stats.ctimeNs !== stats.ctimeNs) return
      verdict = found === unverified.sha256 ? 'intact' : 'damaged'
      await adopt(space, name, stats, { ...unverified, ...(verdict === 'damaged' ? { damaged: true } : {}) })
      if (verdict === 'damaged') onDamage({ space, name, path, recorded: unverified.sha256, found })
    })
    return verdict
  }

  async #digest(path: string, size: number, throttled: AbortSignal | undefined): Promise<string> {
    const digest = this.#services.digests.open(path)
    try {
      // The thread reads only up to this offset.
      for (let read = stepBytes; throttled && read < size; read += stepBytes) {
        digest.follow(read)
        await delay(pauseMs, undefined, { signal: throttled, ref: false })
      }
      return await digest.digest(size)
    } finally {
      digest.forget()
    }
  }
}

/** At most 160 MB/s: the same thread computes the digests of uploads. */
const stepBytes = 16 * 1024 ** 2
const pauseMs = 100
