import type { BigIntStats } from 'node:fs'
import { lstat, mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMissing, isOccupied } from '../../../protocol/file-errors.js'
import { isDiskFull } from '../disk-full.js'
import type { Space } from '../files.js'
import { writeDurably } from './durable-write.js'
import { type DescribedFile, describeFile, parseVersions, type Version } from './file-description.js'
import { keptMark, metadataFolder, metadataPath } from './metadata-paths.js'
import { missingAsUndefined } from './missing.js'

/**
 * The metadata that a file system does not keep, the digest and the media type, in `meta/`. Lost or stale metadata is
 * no error.
 */
export class FileMetadata {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  /**
   * Describes the version that is about to be published, and keeps the metadata of the current one, `replaced`: so both
   * have their digest, whichever a reader sees or a crash leaves.
   */
  async write(space: Space, name: string, version: Version, replaced: BigIntStats | undefined): Promise<void> {
    const known = replaced ? describeFile(name, replaced, await this.#read(space, name)) : undefined
    const kept = known?.version ?? known?.unverified
    await this.#write(space, name, kept ? [version, kept] : [version])
  }

  /** The file's record: with its digest if the metadata belongs to these bytes, by size, mtime and inode. */
  async describe(space: Space, name: string, stats: BigIntStats): Promise<DescribedFile> {
    return describeFile(name, stats, await this.#read(space, name))
  }

  /** Also removes the folders that it leaves empty. */
  async remove(space: Space, name: string): Promise<void> {
    await rm(metadataPath(this.#root, space, name), { force: true })
    await this.#removeEmptyFolders(space, name.slice(0, name.lastIndexOf('/') + 1))
  }

  /** The folder with the metadata of a folder, which may be missing. */
  folder(space: Space, folder: string): string {
    return metadataFolder(this.#root, space, folder)
  }

  /** Keeps a folder while it is empty. The mark is moved and removed with the metadata of its files. */
  async keepFolder(space: Space, folder: string): Promise<void> {
    const path = this.folder(space, folder)
    await mkdir(path, { recursive: true, mode: 0o700 })
    await writeDurably(join(path, keptMark), '')
  }

  async isKept(space: Space, folder: string): Promise<boolean> {
    return (await lstat(join(this.folder(space, folder), keptMark)).catch(missingAsUndefined)) !== undefined
  }

  async removeSpace({ role, username }: Space): Promise<void> {
    await rm(join(this.#root, role, username), { recursive: true, force: true })
  }

  async #removeEmptyFolders(space: Space, folder: string): Promise<void> {
    for (let rest = folder; rest !== ''; rest = rest.slice(0, rest.lastIndexOf('/', rest.length - 2) + 1)) {
      const removed = await rmdir(this.folder(space, rest)).then(
        () => true,
        (error) => {
          if (!isOccupied(error) && !isMissing(error)) throw error
          return isMissing(error)
        },
      )
      if (!removed) return
    }
  }

  async #read(space: Space, name: string): Promise<Version[]> {
    const text = await readFile(metadataPath(this.#root, space, name), 'utf8').catch(missingAsUndefined)
    return text === undefined ? [] : parseVersions(text)
  }

  /** A concurrent removal may remove the empty folder in between: then it retries. */
  async #write(space: Space, name: string, versions: Version[]): Promise<void> {
    const path = metadataPath(this.#root, space, name)
    for (let attempt = 1; ; attempt++) {
      try {
        await writeFile(`${path}.new`, JSON.stringify({ versions }), { mode: 0o600 })
        return await rename(`${path}.new`, path)
      } catch (error) {
        if (isDiskFull(error)) await rm(`${path}.new`, { force: true })
        if (!isMissing(error) || attempt === maxAttempts) throw error
        await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      }
    }
  }
}

/** Each time, another removal must have intervened. */
const maxAttempts = 10
