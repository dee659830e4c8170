import { lstat } from 'node:fs/promises'
import { damagedFile } from '../damage.js'
import type { Space } from '../files.js'
import type { Digests } from './digests.js'
import { identify } from './file-description.js'
import type { FileLocks } from './file-locks.js'
import type { FileMetadata } from './file-metadata.js'
import { findPath } from './file-paths.js'
import { missingAsUndefined } from './missing.js'
import { type Damage, type LookedAt, Verification } from './verification.js'

export interface FileLookupOptions {
  /** A real path. */
  root: string
  metadata: FileMetadata
  locks: FileLocks
  digests: Digests
  /** Throws `storage-unavailable` if the folder of the files is missing. */
  checkFolder(): Promise<void>
  onDamage(damage: Damage): void
  /** Up to this size a restored file is hashed before the response. */
  readAtOnceBytes: number
}

/** Looks up files by name, with their metadata. */
export class FileLookup {
  readonly verification: Verification
  readonly #options: FileLookupOptions

  constructor(options: FileLookupOptions) {
    const { digests, locks, metadata, onDamage } = options
    this.#options = options
    this.verification = new Verification({
      digests,
      look: (space, name) => this.look(space, name),
      lock: (space, name, work) => locks.hold(space, name, work),
      adopt: (space, name, stats, version) =>
        metadata.write(space, name, { ...version, ...identify(stats) }, undefined),
      onDamage,
    })
  }

  /** The current file. The caller holds the name's lock, or has waited for it. */
  async look(space: Space, name: string): Promise<LookedAt | undefined> {
    const { root, metadata } = this.#options
    const path = await findPath(root, space, name)
    const stats = path ? await lstat(path, { bigint: true }).catch(missingAsUndefined) : undefined
    if (!path || !stats?.isFile()) return undefined
    return { ...(await metadata.describe(space, name, stats)), path, stats }
  }

  /** Like `look`; throws `storage-unavailable` if nothing is found because the data folder is missing. */
  async lookSurely(space: Space, name: string): Promise<LookedAt | undefined> {
    const there = await this.look(space, name)
    if (!there) await this.#options.checkFolder()
    return there
  }

  /**
   * Like `lookSurely`, after pending changes of the name, with the digest of a restored file if it can be read quickly.
   */
  async lookVerified(space: Space, name: string): Promise<LookedAt | undefined> {
    const { locks, readAtOnceBytes } = this.#options
    const there = await locks.read(space, name, () => this.lookSurely(space, name))
    if (!there?.unverified || there.file.size > readAtOnceBytes) return there
    await this.verification.verify(space, name)
    return locks.read(space, name, () => this.look(space, name))
  }

  /** Reads a whole restored file if it was not compared before. Throws `file-damaged`. */
  async refuseDamaged(space: Space, name: string): Promise<void> {
    if ((await this.verification.verify(space, name)) === 'damaged') throw damagedFile(name)
  }
}
