import { batch, signal } from '@preact/signals'
import type { FolderLevelList } from '../../../protocol/folders.js'
import { Refusal } from '../../api.js'
import type { ListedEntry } from './entries.js'

/** One answer of the server: the totals of a search at all depths are not known. */
export interface LevelAnswer extends Pick<FolderLevelList, 'files' | 'folders' | 'next'> {
  totals: FolderLevelList['totals'] | null
}

export type LoadLevel = (cursor: string | undefined, signal: AbortSignal) => Promise<LevelAnswer>

interface Page {
  cursor: string | undefined
  entries: readonly ListedEntry[]
  next: string | null
  /** The revision of the list that was current when it was requested. */
  revision: number
}

/**
 * The pages of a folder that were loaded so far: the next one is loaded when its rows are about to be seen, an old one
 * when they are seen again.
 */
export class LevelPages {
  /** In the order of the list; undefined before the first answer. */
  readonly entries = signal<readonly ListedEntry[] | undefined>(undefined)
  readonly totals = signal<LevelAnswer['totals']>(null)
  /** Whether there are more pages. */
  readonly hasMore = signal(false)
  /** Of the last request. */
  readonly error = signal<unknown>(undefined)
  readonly #load: LoadLevel
  #pages: Page[] = []
  #revision = 0
  #wanted = { first: 0, last: 0 }
  #isAllWanted = false
  #abort: AbortController | null = null
  #running: Promise<void> | null = null

  constructor(load: LoadLevel) {
    this.#load = load
  }

  /** Loads now what is missing, and again what is old; until `pause`. */
  resume(): void {
    this.#abort ??= new AbortController()
    this.reload()
  }

  pause(): void {
    this.#abort?.abort()
    this.#abort = null
    this.#running = null
  }

  /** Loads the seen pages again; what is shown stays until then. */
  reload(): void {
    this.#revision += 1
    this.#run()
  }

  /** Tells which rows are seen. */
  want(first: number, last: number): void {
    this.#wanted = { first, last }
    this.#run()
  }

  /** Loads all pages. Returns the entries; fewer if the server does not answer. */
  async loadAll(): Promise<readonly ListedEntry[]> {
    this.#isAllWanted = true
    this.#run()
    await this.#running
    this.#isAllWanted = false
    return this.entries.peek() ?? []
  }

  get isLoading(): boolean {
    return this.#running !== null
  }

  #run(): void {
    if (!this.#abort || this.#running || this.#next() === undefined) return
    const { signal } = this.#abort
    this.#running = this.#loadWanted(signal)
  }

  async #loadWanted(signal: AbortSignal): Promise<void> {
    for (let index = this.#next(); index !== undefined && !signal.aborted; index = this.#next()) {
      const revision = this.#revision
      const cursor = index === 0 ? undefined : (this.#pages[index - 1]!.next ?? undefined)
      try {
        const answer = await this.#load(cursor, signal)
        if (signal.aborted) return
        this.#keep(index, { cursor, revision, next: answer.next, entries: [...answer.folders, ...answer.files] })
        this.#show(answer.totals)
      } catch (error) {
        if (signal.aborted) return
        if (isGone(error)) this.#forget()
        this.error.value = error
        break
      }
    }
    // In the same step as the last look: what is wanted from now on starts another run.
    if (!signal.aborted) this.#running = null
  }

  /** The page to load next; undefined if everything that is seen is there and new. */
  #next(): number | undefined {
    const { first, last } = this.#wanted
    let start = 0
    for (const [index, { entries, revision }] of this.#pages.entries()) {
      const isSeen = start <= last && start + entries.length >= first
      if (isSeen && revision < this.#revision) return index
      start += entries.length
    }
    const end = this.#pages.at(-1)
    if (!end) return 0
    return end.next !== null && (start <= last || this.#isAllWanted) ? this.#pages.length : undefined
  }

  /** Pages after it are kept only if they begin where it ends. */
  #keep(index: number, page: Page): void {
    const rest = this.#pages.slice(index + 1)
    const fits = rest[0]?.cursor === (page.next ?? undefined) && page.next !== null
    this.#pages = [...this.#pages.slice(0, index), page, ...(fits ? rest : [])]
  }

  #show(totals: LevelAnswer['totals']): void {
    batch(() => {
      this.entries.value = this.#pages.flatMap(({ entries }) => entries)
      this.totals.value = totals
      this.hasMore.value = this.#pages.at(-1)!.next !== null
      this.error.value = undefined
    })
  }

  #forget(): void {
    this.#pages = []
    this.entries.value = undefined
    this.totals.value = null
    this.hasMore.value = false
  }
}

/** What was shown is not there any more. */
function isGone(error: unknown): boolean {
  return error instanceof Refusal && [403, 404, 410].includes(error.status)
}
