import { appendFile, mkdir, open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMissing } from '../../../protocol/file-errors.js'
import type { ListedFile } from '../../../protocol/folder-jobs.js'
import { Mutex } from '../../concurrency/mutex.js'
import type { JobFilePage, JobFiles } from '../job-files.js'

export interface LocalJobFilesOptions {
  /** Default 50 MB. */
  maxBytes?: number
  /** Called once for each list that cannot be written. */
  onError?: (error: unknown) => void
}

export interface LocalJobFiles extends JobFiles {
  /** Resolves when everything is written. */
  close(): Promise<void>
}

/** Lists in `job-files/ID.ndjson`. Where they exceed `maxBytes`, the oldest is removed; one that is too long by itself is cut. */
export async function openJobFiles(
  folder: string,
  { maxBytes = 50_000_000, onError = () => {} }: LocalJobFilesOptions = {},
): Promise<LocalJobFiles> {
  const path = join(folder, 'job-files')
  const lists = new Map<string, JobFileList>()
  const found = await Promise.all(
    (await namesIn(path)).flatMap((name) => {
      const [, id] = /^(.+)\.ndjson$/.exec(name) ?? []
      return id === undefined ? [] : [stat(join(path, name)).then(({ size, mtimeMs }) => ({ id, size, mtimeMs }))]
    }),
  )
  for (const { id, size } of found.sort((a, b) => a.mtimeMs - b.mtimeMs)) lists.set(id, newList(id, size))

  function newList(id: string, size: number): JobFileList {
    return new JobFileList(join(path, `${id}.ndjson`), size, onError)
  }

  function listOf(id: string): JobFileList {
    const list = lists.get(id) ?? newList(id, 0)
    lists.set(id, list)
    return list
  }

  async function remove(id: string): Promise<void> {
    const list = lists.get(id)
    lists.delete(id)
    await list?.remove()
  }

  function makeRoom(current: string): void {
    let total = 0
    for (const list of lists.values()) total += list.size
    for (const [id, list] of lists) {
      if (total <= maxBytes) return
      if (id === current) continue
      total -= list.size
      remove(id).catch(onError)
    }
  }

  return {
    add(jobId, file) {
      const list = listOf(jobId)
      if (list.size > maxBytes) list.cut()
      else if (list.add(`${JSON.stringify(file)}\n`)) makeRoom(jobId)
    },
    async list(jobId, query) {
      const list = lists.get(jobId)
      return list ? list.read(query) : { files: [], next: null, isComplete: false }
    },
    async end(jobId) {
      await lists.get(jobId)?.flush()
    },
    remove,
    jobs: async () => [...lists.keys()],
    async close() {
      await Promise.all([...lists.values()].map((list) => list.flush()))
    },
  }
}

/** One list as it grows. */
class JobFileList {
  readonly #path: string
  readonly #onError: (error: unknown) => void
  readonly #writing = new Mutex()
  #written: number
  #pending: string[] = []
  #pendingBytes = 0
  #isCut = false
  #timer: NodeJS.Timeout | undefined

  constructor(path: string, size: number, onError: (error: unknown) => void) {
    this.#path = path
    this.#written = size
    this.#onError = onError
  }

  get size(): number {
    return this.#written + this.#pendingBytes
  }

  /** Returns whether it has grown by so much that the limit of all lists should be checked. */
  add(line: string): boolean {
    if (this.#isCut) return false
    this.#pending.push(line)
    this.#pendingBytes += Buffer.byteLength(line)
    if (this.#pendingBytes < flushBytes) {
      this.#timer ??= setTimeout(() => void this.flush(), flushMs).unref()
      return false
    }
    void this.flush()
    return true
  }

  /** Adds nothing more. */
  cut(): void {
    if (this.#isCut) return
    this.add(cutLine)
    this.#isCut = true
  }

  /** Resolves when all that was added is in the file. Never rejects: a list that cannot be written ends here. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    return this.#writing.run(async () => {
      const text = this.#pending.join('')
      const bytes = this.#pendingBytes
      this.#pending = []
      this.#pendingBytes = 0
      if (bytes === 0) return
      try {
        await this.#append(text)
        this.#written += bytes
      } catch (error) {
        this.#isCut = true
        this.#onError(error)
        // No half line.
        await truncate(this.#path, this.#written).catch(() => {})
      }
    })
  }

  async #append(text: string): Promise<void> {
    try {
      await appendFile(this.#path, text, { mode: 0o600 })
    } catch (error) {
      if (!isMissing(error)) throw error
      await mkdir(dirname(this.#path), { mode: 0o700 })
      await appendFile(this.#path, text, { mode: 0o600 })
    }
  }

  async read({ after, limit }: { after: number; limit: number }): Promise<JobFilePage> {
    await this.flush()
    const files: ListedFile[] = []
    let position = after
    let isComplete = !this.#isCut
    for await (const line of linesFrom(this.#path, after)) {
      if (files.length === limit) return { files, next: position, isComplete }
      position += Buffer.byteLength(line) + 1
      if (`${line}\n` === cutLine) isComplete = false
      else files.push(...parseLine(line))
    }
    return { files, next: null, isComplete }
  }

  async remove(): Promise<void> {
    clearTimeout(this.#timer)
    this.#isCut = true
    this.#pending = []
    this.#pendingBytes = 0
    await this.#writing.run(() => rm(this.#path, { force: true }))
  }
}

function namesIn(path: string): Promise<string[]> {
  return readdir(path).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
}

async function* linesFrom(path: string, start: number): AsyncGenerator<string> {
  try {
    const file = await open(path)
    yield* file.readLines({ start, highWaterMark: 64 * 1024 })
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

/** Passes over a line that a crash has cut short. */
function parseLine(line: string): ListedFile[] {
  try {
    return [JSON.parse(line) as ListedFile]
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

/** The last line of a list that was cut. */
const cutLine = '{"cut":true}\n'
const flushBytes = 64 * 1024
const flushMs = 200
