import type { HistoryEntry } from '../history.js'
import { factsOf, type JobFacts, type JobFilter, matchesFilter } from '../job-filter.js'

/**
 * The newest entry of each job, in the order of their claims: as text, with a few fields to search by, so that a long history
 * takes 500 bytes a job.
 */
export class HistoryIndex {
  readonly #maxEntries: number
  readonly #entries = new Map<string, Indexed>()
  /** The ended jobs of each account, the one that ended first at the front. */
  readonly #ended = new Map<number, Set<string>>()
  #lastSeq = 0

  constructor(maxEntries = 100_000) {
    this.#maxEntries = maxEntries
  }

  get lastSeq(): number {
    return this.#lastSeq
  }

  /** Passes over a line that a crash cut short, or that is damaged: it is history, not state. */
  add(line: string): void {
    const entry = parseLine(line)
    if (!entry) return
    const { seq, accountId, job } = entry
    this.#entries.set(job.id, { seq, accountId, ...factsOf(job), line })
    this.#lastSeq = Math.max(this.#lastSeq, seq)
    if (job.endedAt !== null) this.#endedOf(accountId).add(job.id)
  }

  /** Where there are too many, forgets the oldest ended job of the account with the most, and returns its id. */
  trim(): string | undefined {
    if (this.#entries.size <= this.#maxEntries) return undefined
    const [largest] = [...this.#ended.values()].sort((a, b) => b.size - a.size)
    const [oldest] = largest ?? []
    if (oldest === undefined) return undefined
    largest?.delete(oldest)
    this.#entries.delete(oldest)
    return oldest
  }

  /** Orders the jobs by their claims: lines kept at a rotation follow newer ones. */
  sort(): void {
    const sorted = [...this.#entries].sort(([, a], [, b]) => a.seq - b.seq)
    this.#entries.clear()
    for (const [id, indexed] of sorted) this.#entries.set(id, indexed)
  }

  /**
   * Whether a line of an old file should outlive it: that of an account with less than half of the average number of jobs,
   * which one with many would displace.
   */
  isWorthKeeping(line: string): boolean {
    const entry = parseLine(line)
    const indexed = entry && this.#entries.get(entry.job.id)
    if (!indexed || indexed.endedMs === null || indexed.line !== line) return false
    return this.#endedOf(indexed.accountId).size <= this.#entries.size / this.#ended.size / 2
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  find(id: string): HistoryEntry | undefined {
    const indexed = this.#entries.get(id)
    return indexed && parseLine(indexed.line)
  }

  /** Parses the lines that it returns only: all of a long history would hold up every transfer. */
  list(filter: JobFilter): HistoryEntry[] {
    const found: HistoryEntry[] = []
    const { before = Number.POSITIVE_INFINITY, limit } = filter
    for (const indexed of [...this.#entries.values()].reverse()) {
      if (indexed.endedMs === null || indexed.seq >= before || !matchesFilter(indexed, indexed.accountId, filter))
        continue
      found.push(...entriesOf(indexed))
      if (found.length >= limit) break
    }
    return found
  }

  #endedOf(accountId: number): Set<string> {
    const ids = this.#ended.get(accountId) ?? new Set<string>()
    this.#ended.set(accountId, ids)
    return ids
  }

  unfinished(filter: Pick<JobFilter, 'accountId' | 'kind'>): HistoryEntry[] {
    const open = [...this.#entries.values()].filter(
      (indexed) => indexed.endedMs === null && matchesFilter(indexed, indexed.accountId, filter),
    )
    return open.flatMap(entriesOf)
  }

  countUnfinished(): Map<number, number> {
    const counts = new Map<number, number>()
    for (const { accountId, endedMs } of this.#entries.values()) {
      if (endedMs === null) counts.set(accountId, (counts.get(accountId) ?? 0) + 1)
    }
    return counts
  }
}

interface Indexed extends JobFacts {
  seq: number
  accountId: number
  line: string
}

function entriesOf({ line }: Indexed): HistoryEntry[] {
  const entry = parseLine(line)
  return entry ? [entry] : []
}

function parseLine(line: string): HistoryEntry | undefined {
  try {
    const entry = JSON.parse(line) as HistoryEntry | null
    if (typeof entry?.seq !== 'number' || typeof entry.job?.id !== 'string') return undefined
    // Lines of older versions have no such field.
    entry.job.files ??= null
    if (entry.receipt) entry.receipt.published ??= null
    return entry
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
