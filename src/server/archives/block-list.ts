/** Small byte strings, kept in a few blocks: an object for each would take more memory than the bytes. */
export class BlockList {
  readonly #blocks: Uint8Array[] = []
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  append(bytes: Uint8Array): void {
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    this.#bytes += bytes.length
    if (this.#pendingBytes >= blockBytes) this.#seal()
  }

  /** Everything that was appended, in order. */
  blocks(): readonly Uint8Array[] {
    this.#seal()
    return this.#blocks
  }

  #seal(): void {
    if (this.#pendingBytes > 0) this.#blocks.push(Buffer.concat(this.#pending, this.#pendingBytes))
    this.#pending = []
    this.#pendingBytes = 0
  }
}

const blockBytes = 64 * 1024
