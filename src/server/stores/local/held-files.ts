/** Files that are being read, which are removed only when their last reader has released them. */
export class HeldFiles {
  readonly #readers = new Map<string, number>()
  readonly #removed = new Set<string>()
  readonly #remove: (path: string) => Promise<void>

  /** @param remove Removes a file. Its errors are those of `remove`, or ignored if a reader was last. */
  constructor(remove: (path: string) => Promise<void>) {
    this.#remove = remove
  }

  /** Keeps the files until the returned function is called, once or again. */
  hold(paths: readonly string[]): () => void {
    for (const path of paths) this.#readers.set(path, (this.#readers.get(path) ?? 0) + 1)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      for (const path of paths) this.#release(path)
    }
  }

  async remove(path: string): Promise<void> {
    if (this.#readers.has(path)) this.#removed.add(path)
    else await this.#remove(path)
  }

  #release(path: string): void {
    const readers = this.#readers.get(path)! - 1
    if (readers > 0) {
      this.#readers.set(path, readers)
      return
    }
    this.#readers.delete(path)
    if (this.#removed.delete(path)) this.#remove(path).catch(() => {})
  }
}
