import type { RemoteFile } from './remote-list.js'
import type { Found, LocalFile } from './walk.js'

/** What both sides have of a name. */
export type Pair =
  | { readonly kind: 'pair'; readonly name: string; readonly local?: LocalFile; readonly remote?: RemoteFile }
  | Exclude<Found, { kind: 'file' }>

/** Merges what is here and what is on the server, both in the order of their names, one pair of a name at a time. */
export async function* mergeByName(local: Iterable<Found>, remote: AsyncIterable<RemoteFile[]>): AsyncGenerator<Pair> {
  const there = new Cursor(remote)
  for (const found of local) {
    if (found.kind !== 'file') {
      yield found
      continue
    }
    const { file } = found
    let other = await there.head()
    for (; other && other.name < file.name; other = await there.next()) {
      yield { kind: 'pair', name: other.name, remote: other }
    }
    if (other?.name === file.name) {
      yield { kind: 'pair', name: file.name, local: file, remote: other }
      await there.next()
    } else yield { kind: 'pair', name: file.name, local: file }
  }
  for (let other = await there.head(); other; other = await there.next()) {
    yield { kind: 'pair', name: other.name, remote: other }
  }
}

/** Reads one item at a time from chunks. */
class Cursor<T> {
  readonly #chunks: AsyncIterator<T[]>
  #chunk: T[] = []
  #at = 0

  constructor(chunks: AsyncIterable<T[]>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** The current item; undefined at the end. */
  async head(): Promise<T | undefined> {
    while (this.#at >= this.#chunk.length) {
      const { done, value } = await this.#chunks.next()
      if (done) return undefined
      this.#chunk = value
      this.#at = 0
    }
    return this.#chunk[this.#at]
  }

  next(): Promise<T | undefined> {
    this.#at += 1
    return this.head()
  }
}
