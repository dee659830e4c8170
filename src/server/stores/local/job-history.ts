import { createReadStream } from 'node:fs'
import { appendFile, chmod, open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { JobKind, JobState } from '../../../protocol/jobs.js'
import { matches } from '../../jobs/job-filter.js'
import type { HistoryEntry, JobHistory } from '../history.js'

export interface LocalJobHistory extends JobHistory {
  /** Resolves when all is written. */
  close(): Promise<void>
}

/**
 * The history in `jobs.ndjson`: a line at the claim, one at the end, rotated at 10 MB with five old files kept. What
 * the files hold is held in memory too, as text: 60 MB at the very most, 500 bytes a job.
 */
export async function openJobHistory(folder: string, onError: (error: unknown) => void): Promise<LocalJobHistory> {
  const entries = new Map<string, Indexed>()
  let lastSeq = 0
  const index = (line: string) => {
    const entry = parseLine(line)
    if (!entry) return
    const { seq, accountId, job } = entry
    entries.set(job.id, { seq, accountId, kind: job.kind, state: job.state, ended: job.endedAt !== null, line })
    lastSeq = Math.max(lastSeq, entry.seq)
  }
  for (let age = filesKept; age >= 0; age--) for await (const line of lines(fileOf(folder, age))) index(line)

  let size = await stat(fileOf(folder, 0)).then(
    (s) => s.size,
    () => 0,
  )
  // The newline ends what a crash may have cut short: the next line must not become a part of it.
  let pending = size > 0 && !(await endsWithNewline(fileOf(folder, 0), size)) ? ['\n'] : []
  let writing: Promise<void> | null = null
  const writeAll = async () => {
    try {
      while (pending.length > 0) {
        const text = pending.join('')
        pending = []
        if (size > maxFileBytes) {
          await rotate(folder)
          size = 0
        }
        await appendFile(fileOf(folder, 0), text, { mode: 0o600 })
        size += Buffer.byteLength(text)
      }
    } catch (error) {
      onError(error)
    } finally {
      writing = null
    }
  }

  return {
    get lastSeq() {
      return lastSeq
    },
    append(entry) {
      const line = JSON.stringify(entry)
      index(line)
      if (entries.size > maxEntries) forgetOldest(entries)
      pending.push(`${line}\n`)
      writing ??= writeAll()
    },
    async has(id) {
      return entries.has(id)
    },
    async find(id) {
      const entry = entries.get(id)
      return entry && parseLine(entry.line)
    },
    async list(filter) {
      const found: HistoryEntry[] = []
      const before = filter.before ?? Number.POSITIVE_INFINITY
      for (const indexed of [...entries.values()].reverse()) {
        // Told from the index: parsing every line of a long history would hold all transfers up.
        if (!indexed.ended || indexed.seq >= before || !matches(indexed, indexed.accountId, filter)) continue
        const entry = parseLine(indexed.line)
        if (entry) found.push(entry)
        if (found.length >= filter.limit) break
      }
      return found
    },
    async unfinished() {
      return [...entries.values()].filter((e) => !e.ended).flatMap((e) => parseLine(e.line) ?? [])
    },
    async close() {
      await writing
    },
  }
}

interface Indexed {
  seq: number
  accountId: number
  kind: JobKind
  state: JobState
  ended: boolean
  line: string
}

const maxFileBytes = 10 * 1024 ** 2
const filesKept = 5
const maxEntries = 100_000

function fileOf(folder: string, age: number): string {
  return join(folder, age === 0 ? 'jobs.ndjson' : `jobs.${age}.ndjson`)
}

async function rotate(folder: string): Promise<void> {
  for (let age = filesKept - 1; age >= 0; age--) {
    await rename(fileOf(folder, age), fileOf(folder, age + 1)).catch(ignoreMissing)
  }
  await chmod(fileOf(folder, 1), 0o600)
}

/** A line that a crash cut short, or that somebody damaged, is passed over: it is history, not state. */
function parseLine(line: string): HistoryEntry | undefined {
  try {
    const entry = JSON.parse(line) as HistoryEntry | null
    return typeof entry?.seq === 'number' && typeof entry.job?.id === 'string' ? entry : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

async function endsWithNewline(file: string, size: number): Promise<boolean> {
  const handle = await open(file, 'r')
  try {
    const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 })
    return buffer.toString() === '\n'
  } finally {
    await handle.close()
  }
}

async function* lines(file: string): AsyncGenerator<string> {
  const exists = await stat(file).then(
    () => true,
    () => false,
  )
  if (exists) yield* createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
}

function forgetOldest(entries: Map<string, Indexed>): void {
  for (const [id, entry] of entries) {
    if (!entry.ended) continue
    entries.delete(id)
    return
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
