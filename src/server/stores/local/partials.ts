import { type FileHandle, open, readdir, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { LimitFunction } from 'p-limit'
import { Problem } from '../../../protocol/problems.js'
import type { KeptPartial, Partial } from '../files.js'
import type { Digests, FileDigest } from './digests.js'
import { writeDurably } from './durable-write.js'

export interface PartialContext {
  folder: string
  digests: Digests
  /** At most two syncs at once: libuv has four threads, and every other file operation needs one too. */
  syncs: LimitFunction
  publish(partial: LocalPartial, target: Parameters<Partial['publish']>[0]): ReturnType<Partial['publish']>
}

export async function createPartial(id: string, context: PartialContext): Promise<LocalPartial> {
  const path = pathOf(id, context)
  return new LocalPartial(
    id,
    path,
    await open(path, 'wx+', 0o600).catch(rethrowFull),
    { size: 0, noted: false },
    context,
  )
}

/** Its digest is taken up from the first byte again, behind whatever is written next. */
export async function reopenPartial(id: string, context: PartialContext): Promise<LocalPartial | undefined> {
  const path = pathOf(id, context)
  const handle = await open(path, 'r+').catch(missingAsUndefined)
  return handle && new LocalPartial(id, path, handle, { size: (await handle.stat()).size, noted: true }, context)
}

export async function notePartial(id: string, note: object, { folder }: { folder: string }): Promise<void> {
  await writeDurably(join(folder, `${id}.json`), `${JSON.stringify(note)}\n`)
}

export async function listPartials(folder: string): Promise<KeptPartial[]> {
  const ids = (await readdir(folder)).flatMap((name) => /^(?!\.)(.+)\.(?:bin|json)$/.exec(name)?.[1] ?? [])
  const kept = await Promise.all([...new Set(ids)].map((id) => look(folder, id)))
  return kept.filter((partial) => partial !== undefined)
}

/** The note goes first: one that is left alone tells that its partial was published. */
export async function removePartial(id: string, { folder }: { folder: string }): Promise<void> {
  for (const name of [`${id}.json`, `.${id}.json.tmp`, `${id}.bin`]) await removeFile(join(folder, name))
}

export async function partialUsage(folder: string): Promise<{ count: number; bytes: number }> {
  const usage = { count: 0, bytes: 0 }
  for (const name of await readdir(folder)) {
    const stats = name.endsWith('.bin') ? await stat(join(folder, name)).catch(missingAsUndefined) : undefined
    if (!stats) continue
    usage.count += 1
    usage.bytes += stats.size
  }
  return usage
}

/** A file in `partial/`, written with the digest and the syncs following behind. */
export class LocalPartial implements Partial {
  readonly id: string
  readonly path: string
  readonly #context: PartialContext
  readonly #digest: FileDigest
  readonly #handle: FileHandle
  #size: number
  #syncedSize: number
  #syncing: Promise<void> | null = null
  #syncError: unknown = null
  #closed: Promise<void> | null = null
  /** Whether there may be a note beside it. */
  #noted: boolean

  constructor(
    id: string,
    path: string,
    handle: FileHandle,
    { size, noted }: { size: number; noted: boolean },
    context: PartialContext,
  ) {
    this.id = id
    this.path = path
    this.#handle = handle
    this.#size = size
    this.#syncedSize = size
    this.#noted = noted
    this.#context = context
    this.#digest = context.digests.open(path)
    this.#digest.follow(size)
  }

  get size(): number {
    return this.#size
  }

  async append(buffer: Buffer, length: number): Promise<void> {
    let written = 0
    while (written < length) {
      const { bytesWritten } = await this.#handle
        .write(buffer, written, length - written, this.#size)
        .catch(rethrowFull)
      written += bytesWritten
      this.#size += bytesWritten
    }
    this.#digest.follow(this.#size)
    if (this.#size - this.#syncedSize >= syncBehindBytes) this.#syncBehind()
  }

  async truncate(size: number): Promise<void> {
    await this.#handle.truncate(size)
    this.#size = size
    this.#digest.forget()
  }

  async sync(): Promise<void> {
    await this.#syncing
    // The kernel reports a failed write-back to one sync only.
    if (this.#syncError) throw this.#syncError
    const size = this.#size
    await this.#context.syncs(() => this.#handle.datasync()).catch(rethrowFull)
    this.#syncedSize = size
  }

  async note(note: object): Promise<void> {
    this.#noted = true
    await notePartial(this.id, note, this.#context)
  }

  sha256(): Promise<string> {
    return this.#digest.digest(this.#size)
  }

  publish(target: Parameters<Partial['publish']>[0]): ReturnType<Partial['publish']> {
    return this.#context.publish(this, target)
  }

  async remove(): Promise<void> {
    try {
      // A stop is answered after this, and each step waits its turn behind the writes of others: no step for nothing.
      await (this.#noted ? removePartial(this.id, this.#context) : removeFile(this.path))
    } finally {
      // A sync may still be under way. The file is gone already, so nobody has to wait for that.
      this.close().catch(() => {})
    }
  }

  async close(): Promise<void> {
    this.#closed ??= this.#close()
    await this.#closed
  }

  async #close(): Promise<void> {
    this.#digest.forget()
    await this.#syncing
    await this.#handle.close()
  }

  /** Begins to write back early, so that the sync at the end finds little left to do. */
  #syncBehind(): void {
    if (this.#syncing) return
    this.#syncedSize = this.#size
    this.#syncing = this.#context
      .syncs(() => this.#handle.datasync())
      .catch((error) => {
        this.#syncError = error
      })
      .then(() => {
        this.#syncing = null
      })
  }
}

async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(missingAsUndefined)
}

const syncBehindBytes = 64 * 1024 ** 2

function pathOf(id: string, context: PartialContext): string {
  return join(context.folder, `${id}.bin`)
}

async function look(folder: string, id: string): Promise<KeptPartial | undefined> {
  const bytes = await stat(join(folder, `${id}.bin`)).catch(missingAsUndefined)
  const path = join(folder, `${id}.json`)
  const file = bytes ?? (await stat(path).catch(missingAsUndefined))
  return file && { id, size: bytes?.size ?? null, modifiedAt: file.mtime, note: await readNote(path) }
}

async function readNote(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(missingAsUndefined)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function missingAsUndefined(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

function rethrowFull(error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
    throw new Problem('disk-full', "The server's disk is full.", {}, { cause: error })
  }
  throw error
}
