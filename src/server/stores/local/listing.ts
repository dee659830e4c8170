import { Worker } from 'node:worker_threads'
import { type Deferred, deferred } from '../../concurrency/deferred.js'
import type { Space, StoredFile } from '../files.js'
import type { FileLines, Level } from '../folders.js'
import type { SentError } from './batch-messages.js'
import type { NameQuery } from './file-names.js'
import type { FolderLevelQuery } from './folder-level.js'
import { receiveError } from './sent-errors.js'

/** Real paths. */
export interface ListingFolders {
  uploads: string
  meta: string
}

export interface NamePage extends NameQuery {
  limit: number
}

export interface FileCount {
  files: number
  bytes: number
}

export interface ListingQuery extends NamePage {
  /** Only names that contain it, case-insensitive. */
  search: string
}

/** The requests to the thread, and their results. */
export interface ListingWork {
  list: { request: { space: Space; query: ListingQuery }; result: StoredFile[] }
  level: { request: { space: Space; query: FolderLevelQuery }; result: Level }
  lines: { request: { space: Space; query: NameQuery }; result: ListedLines }
  find: { request: { space: Space; names: readonly string[] }; result: (StoredFile | undefined)[] }
  emptyFolders: { request: { space: Space; query: NamePage }; result: string[] }
  count: { request: { space: Space; prefix: string }; result: FileCount }
  measure: { request: { space: Space }; result: number }
  longestName: { request: { space: Space; prefix: string }; result: string | undefined }
  removeTree: { request: { path: string }; result: undefined }
  recallDigests: { request: { path: string }; result: undefined }
  keepDigests: { request: { path: string }; result: undefined }
}

export interface ListedLines extends FileLines {
  /** Whether there is a restored file whose bytes were not compared yet. */
  unverified: boolean
}

export type ListingRequest = {
  [What in keyof ListingWork]: { id: number; what: What } & ListingWork[What]['request']
}[keyof ListingWork]

export type ListingAnswer = { id: number; result: unknown } | { id: number; error: SentError }

/** Lists the files of accounts in a worker thread, so that a large folder does not block the main thread. */
export interface Listing {
  list(space: Space, query: ListingQuery): Promise<StoredFile[]>
  /** One page of the entries of one folder. */
  level(space: Space, query: FolderLevelQuery): Promise<Level>
  /** The next records of all files with the prefix. */
  lines(space: Space, query: NameQuery): Promise<ListedLines>
  find(space: Space, names: readonly string[]): Promise<(StoredFile | undefined)[]>
  emptyFolders(space: Space, query: NamePage): Promise<string[]>
  /** Of what `list` has below the prefix. */
  count(space: Space, prefix: string): Promise<FileCount>
  /** Bytes of all files of the account. */
  usage(space: Space): Promise<number>
  /** The name with the most bytes that has the prefix. */
  longestName(space: Space, prefix: string): Promise<string | undefined>
  /** Removes a folder with everything in it. A missing one is not an error. */
  removeTree(path: string): Promise<void>
  /** Reads the file at the path, with the digests that an earlier run knew, if there is one. */
  recallDigests(path: string): Promise<void>
  /** Writes that file, if it can. */
  keepDigests(path: string): Promise<void>
  close(): Promise<void>
}

export function openListing(folders: ListingFolders): Listing {
  const asked = new Map<number, Deferred<unknown>>()
  let nextId = 0
  let worker: Worker | null = null

  function start(): Worker {
    const started = new Worker(new URL('./listing-worker.js', import.meta.url), {
      workerData: folders,
      // The garbage of a page is collected early, instead of growing the process.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    started.unref()
    started.on('message', (answer: ListingAnswer) => {
      const request = asked.get(answer.id)
      asked.delete(answer.id)
      if ('result' in answer) request?.resolve(answer.result)
      else request?.reject(receiveError(answer.error))
    })
    // Out of memory, for example: pending requests fail, and the next one starts another thread.
    started.on('error', (error) => end(started, error))
    started.on('exit', () => end(started, new Error('The thread that lists files has ended.')))
    return started
  }

  function end(ended: Worker, error: Error): void {
    if (worker !== ended) return
    worker = null
    for (const request of asked.values()) request.reject(error)
    asked.clear()
  }

  function ask<What extends keyof ListingWork>(
    what: What,
    request: ListingWork[What]['request'],
  ): Promise<ListingWork[What]['result']> {
    const answer = deferred<unknown>()
    const id = nextId++
    asked.set(id, answer)
    worker ??= start()
    worker.postMessage({ id, what, ...request })
    return answer.promise as Promise<ListingWork[What]['result']>
  }

  worker = start()
  return {
    list: (space, query) => ask('list', { space: spaceOf(space), query }),
    level: (space, query) => ask('level', { space: spaceOf(space), query }),
    lines: (space, query) => ask('lines', { space: spaceOf(space), query }),
    find: (space, names) => ask('find', { space: spaceOf(space), names }),
    emptyFolders: (space, query) => ask('emptyFolders', { space: spaceOf(space), query }),
    count: (space, prefix) => ask('count', { space: spaceOf(space), prefix }),
    usage: (space) => ask('measure', { space: spaceOf(space) }),
    longestName: (space, prefix) => ask('longestName', { space: spaceOf(space), prefix }),
    removeTree: (path) => ask('removeTree', { path }),
    recallDigests: (path) => ask('recallDigests', { path }),
    keepDigests: (path) => ask('keepDigests', { path }),
    async close() {
      const open = worker
      worker = null
      await open?.terminate()
    },
  }
}

/** An account is a space too, but its password hash must not be passed on. */
function spaceOf({ role, username }: Space): Space {
  return { role, username }
}
