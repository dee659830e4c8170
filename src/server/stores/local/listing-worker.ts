import { parentPort, workerData } from 'node:worker_threads'
import { DescribedFiles } from './described-files.js'
import { FileWalk } from './file-walk.js'
import { FolderCounts } from './folder-counts.js'
import { FolderLevels } from './folder-level.js'
import { FolderIndex } from './folder-names.js'
import { keepDigests, recallDigests } from './kept-digests.js'
import { KnownDigests } from './known-digests.js'
import type { ListingAnswer, ListingFolders, ListingRequest } from './listing.js'
import { PublishedDigests } from './published-digests.js'
import { removeTree } from './remove-tree.js'
import { sendError } from './sent-errors.js'

const folders = workerData as ListingFolders
const index = new FolderIndex()
const known = new KnownDigests()
new PublishedDigests(folders.meta).onReceived((file) => known.addPublished(file.stamp, file.known))
const files = new DescribedFiles(folders, known)
const walk = new FileWalk({ uploads: folders.uploads, index, files })
const levels = new FolderLevels({
  uploads: folders.uploads,
  index,
  files,
  counts: new FolderCounts(index),
  countLater: (path, work) => counting.set(path, counting.get(path) ?? work),
})
const running = new Map<number, Generator<void, unknown>>()
/** By path: one after another, when no request is running. */
const counting = new Map<string, Generator<void, unknown>>()
let isScheduled = false

parentPort?.on('message', (request: ListingRequest) => {
  running.set(request.id, start(request))
  schedule()
})

function start(request: ListingRequest): Generator<void, unknown> {
  const arrivedAt = performance.now()
  switch (request.what) {
    case 'list':
      return walk.list(request.space, request.query, arrivedAt)
    case 'level':
      return levels.read(request.space, request.query, arrivedAt)
    case 'lines':
      return walk.lines(request.space, request.query, arrivedAt)
    case 'find':
      return walk.find(request.space, request.names)
    case 'emptyFolders':
      return walk.emptyFolders(request.space, request.query, arrivedAt)
    case 'count':
      return walk.count(request.space, request.prefix, arrivedAt)
    case 'measure':
      return walk.measure(request.space)
    case 'longestName':
      return walk.longestName(request.space, request.prefix, arrivedAt)
    case 'removeTree':
      return removeTree(request.path)
    case 'recallDigests':
      return atOnce(() => recallDigests(request.path, known))
    case 'keepDigests':
      return atOnce(() => keepDigests(request.path, known))
  }
}

/** Not in slices. */
function* atOnce(work: () => void): Generator<void, undefined> {
  work()
  yield
  return undefined
}

/** Alternates between requests: one over a large folder must not block the others. */
function work(): void {
  isScheduled = false
  for (const [id, request] of running) {
    try {
      const step = request.next()
      if (!step.done) continue
      answer({ id, result: step.value })
    } catch (error) {
      answer({ id, error: sendError(error) })
    }
    running.delete(id)
  }
  if (running.size === 0) countOn()
  if (running.size + counting.size > 0) schedule()
}

/** A count that fails is started again by the next request. */
function countOn(): void {
  for (const [path, request] of counting) {
    try {
      if (!request.next().done) return
    } catch {}
    counting.delete(path)
    return
  }
}

/** Messages arrive in between. */
function schedule(): void {
  if (isScheduled) return
  isScheduled = true
  setImmediate(work)
}

function answer(message: ListingAnswer): void {
  parentPort?.postMessage(message)
}
