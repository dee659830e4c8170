import type { RemoteFile } from './remote-list.js'
import type { Found, LocalFile } from './walk.js'

/** A name with the files that both sides have of it. */
export type Pair =
  | { readonly kind: 'pair'; readonly name: string; readonly local?: LocalFile; readonly remote?: RemoteFile }
  | Exclude<Found, { kind: 'file' }>

/**
 * Merges local and remote files, both sorted by name, into one pair per name. Yields batches, because awaiting each pair
 * would take longer than the work on it.
 */
export async function* mergeByName(
  local: Iterable<readonly Found[]>,
  remote: AsyncIterable<RemoteFile[]>,
): AsyncGenerator<Pair[]> {
  const there = new Cursor(remote)
  let pairs: Pair[] = []
  for (const batch of local) {
    for (const found of batch) {
      if (found.kind !== 'file') {
        pairs.push(found)
        continue
      }
      const { file } = found
      const { name } = file
      for (;;) {
        if (there.head === undefined && !there.isOver) await there.read()
        const other = there.head
        if (!other || other.name >= name) break
        pairs.push({ kind: 'pair', name: other.name, remote: other })
        there.skip()
        if (pairs.length < maxPairs) continue
        yield pairs
        pairs = []
      }
      const other = there.head
      if (other?.name === name) {
        pairs.push({ kind: 'pair', name, local: file, remote: other })
        there.skip()
      } else pairs.push({ kind: 'pair', name, local: file })
    }
    yield pairs
    pairs = []
  }
  for (; there.head || !there.isOver; await there.read()) {
    yield there.rest().map((other): Pair => ({ kind: 'pair', name: other.name, remote: other }))
  }
}

/** A position in chunks of items. */
class Cursor<T> {
  readonly #chunks: AsyncIterator<T[]>
  #chunk: T[] = []
  #at = 0
  /** Whether there are no more chunks. */
  isOver = false

  constructor(chunks: AsyncIterable<T[]>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** The current item; undefined if another chunk must be read first. */
  get head(): T | undefined {
    return this.#chunk[this.#at]
  }

  /** Takes the rest of the chunk. */
  rest(): T[] {
    const rest = this.#chunk.slice(this.#at)
    this.#at = this.#chunk.length
    return rest
  }

  skip(): void {
    this.#at += 1
  }

  /** Reads chunks until there is a current item, or none is left. */
  async read(): Promise<void> {
    while (this.head === undefined && !this.isOver) {
      const { done, value } = await this.#chunks.next()
      if (done) this.isOver = true
      else {
        this.#chunk = value
        this.#at = 0
      }
    }
  }
}

const maxPairs = 1024
