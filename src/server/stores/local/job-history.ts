import { Coalescer } from '../../concurrency/coalescer.js'
import type { HistoryEntry, JobHistory } from '../history.js'
import { noReserve, type ReserveUse } from './disk-reserve.js'
import { rememberFolder } from './folder-identity.js'
import { HistoryFile, readHistory } from './history-files.js'
import { HistoryIndex } from './history-index.js'

export interface LocalJobHistory extends JobHistory {
  /** The highest sequence number, 0 when there is none: the claims of this run count on from it. */
  readonly lastSeq: number
  /** Resolves when all is written. */
  close(): Promise<void>
}

export interface JobHistoryOptions {
  /** For lines on a full disk. */
  reserve?: ReserveUse
  /** The interval of retrying failed writes, unless new lines come before; default 5 s. */
  retryMs?: number
  /** How many jobs are kept; default 100,000. */
  maxJobs?: number
  /** The size at which a file is full; default 10 MiB. */
  maxFileBytes?: number
  /** Called with the id of a job that is no longer kept. */
  onForgotten?: (id: string) => void
}

/**
 * The history in `jobs.ndjson`: a line at the claim, one at the end. All entries are in memory, too: a new one is
 * visible at once, and written soon after; before the end of a job is answered, its line was written.
 */
export async function openJobHistory(
  folder: string,
  onError: (error: unknown) => void,
  { reserve = noReserve, retryMs = 5000, maxJobs, maxFileBytes, onForgotten = () => {} }: JobHistoryOptions = {},
): Promise<LocalJobHistory> {
  const checkFolder = await rememberFolder(folder)
  const index = new HistoryIndex(maxJobs)
  for await (const line of readHistory(folder)) index.add(line)
  index.sort()
  const { file, isCut } = await HistoryFile.open(folder, maxFileBytes)

  // The newline ends a line that a crash truncated, so that the next one is separate.
  let pending = isCut ? ['\n'] : []
  let retry: NodeJS.Timeout | undefined
  let failing = false
  const writing = new Coalescer(async () => {
    clearTimeout(retry)
    if (pending.length === 0) return
    try {
      await checkFolder()
      await file.rotate((line) => index.isWorthKeeping(line))
      const count = pending.length
      const text = pending.slice(0, count).join('')
      await reserve.use(() => file.append(text))
      pending = pending.slice(count)
      failing = false
    } catch (error) {
      // Reported once, not for every line.
      if (!failing) onError(error)
      failing = true
      pending = pending.slice(-maxPending)
      retry = setTimeout(() => void writing.run(), retryMs).unref()
    }
  })

  /** Resolves when it was written, or could not be written yet. */
  function add(entry: HistoryEntry): Promise<void> {
    const line = JSON.stringify(entry)
    index.add(line)
    const forgotten = index.trim()
    if (forgotten !== undefined) onForgotten(forgotten)
    pending.push(`${line}\n`)
    return writing.run()
  }

  return {
    get lastSeq() {
      return index.lastSeq
    },
    async note(entry) {
      void add(entry)
    },
    end: add,
    has: async (id) => index.has(id),
    find: async (id) => index.find(id),
    list: async (filter) => index.list(filter),
    unfinished: async (filter) => index.unfinished(filter),
    countUnfinished: async () => index.countUnfinished(),
    async close() {
      // Lines that failed before may succeed now.
      await writing.run()
      clearTimeout(retry)
    },
  }
}

/** All jobs of the history, without opening it for writing: those that have not ended, and the ended ones, newest first. */
export async function readAllJobs(folder: string): Promise<{ unfinished: HistoryEntry[]; ended: HistoryEntry[] }> {
  const index = new HistoryIndex(Number.POSITIVE_INFINITY)
  for await (const line of readHistory(folder)) index.add(line)
  index.sort()
  const all = { accountId: null }
  return { unfinished: index.unfinished(all), ended: index.list({ ...all, limit: Number.POSITIVE_INFINITY }) }
}

/** Lines that wait for a disk that refuses them. */
const maxPending = 20_000
