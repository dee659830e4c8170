import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import mime from 'mime'
import { z } from 'zod'
import type { Space, StoredFile } from '../files.js'

const versionSchema = z.object({
  sha256: z.string(),
  // What stands in an answer's header. Node refuses one with other characters, and so every download of the file.
  type: z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/),
  size: z.string(),
  mtimeNs: z.string(),
  inode: z.string(),
})
type Version = z.infer<typeof versionSchema>

const metadataSchema = z.object({ name: z.string(), versions: z.array(versionSchema) })

/** What is said of a file beside its bytes. */
export interface Description {
  sha256: string
  /** Media type. */
  type: string
}

/** What a file system does not keep: the digest and the media type, in `meta/`. Lost or stale ones are no error. */
export class FileMetadata {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Describes the version that is about to be put in place, and keeps what is known of the one that is there, by
   * `replaced`: so both have their digest whichever a reader meets, or a crash leaves.
   */
  async write(
    space: Space,
    name: string,
    stats: BigIntStats,
    { sha256, type }: Description,
    replaced: BigIntStats | undefined,
  ): Promise<void> {
    const path = this.#path(space, name)
    const known = replaced ? findVersion(await this.#read(space, name), replaced) : undefined
    const versions = [{ sha256, type, ...identify(stats) }, ...(known ? [known] : [])]
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(`${path}.new`, JSON.stringify({ name, versions }), { mode: 0o600 })
    await rename(`${path}.new`, path)
  }

  /** The file's record: with its digest where the metadata is of these very bytes, by size, mtime and inode. */
  async describe(space: Space, name: string, stats: BigIntStats): Promise<StoredFile> {
    const known = findVersion(await this.#read(space, name), stats)
    const base = { name, size: Number(stats.size), uploadedAt: new Date(Number(stats.mtimeMs)).toISOString() }
    if (known) return { ...base, sha256: known.sha256, type: known.type, entityTag: `"${known.sha256}"` }
    const tag = [stats.ino, stats.size, stats.mtimeNs].map((part) => part.toString(16)).join('-')
    return { ...base, sha256: null, type: mediaTypeOf(name), entityTag: `"${tag}"` }
  }

  async remove(space: Space, name: string): Promise<void> {
    await rm(this.#path(space, name), { force: true })
  }

  async removeSpace({ role, username }: Space): Promise<void> {
    await rm(join(this.#folder, role, username), { recursive: true, force: true })
  }

  async #read(space: Space, name: string): Promise<Version[]> {
    const text = await readFile(this.#path(space, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    if (text === undefined) return []
    try {
      return metadataSchema.safeParse(JSON.parse(text)).data?.versions ?? []
    } catch (error) {
      if (error instanceof SyntaxError) return []
      throw error
    }
  }

  #path({ role, username }: Space, name: string): string {
    return join(this.#folder, role, username, `${createHash('sha256').update(name).digest('hex')}.json`)
  }
}

function identify(stats: BigIntStats): Pick<Version, 'size' | 'mtimeNs' | 'inode'> {
  return { size: String(stats.size), mtimeNs: String(stats.mtimeNs), inode: String(stats.ino) }
}

function findVersion(versions: Version[], stats: BigIntStats): Version | undefined {
  const { size, mtimeNs, inode } = identify(stats)
  return versions.find((known) => known.size === size && known.mtimeNs === mtimeNs && known.inode === inode)
}

/** By the name's extension. */
export function mediaTypeOf(name: string): string {
  return mime.getType(name) ?? 'application/octet-stream'
}
