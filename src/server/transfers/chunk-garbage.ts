/**
 * Reduces the cost of the 64 KiB that Node allocates for each chunk of a request's body: by default a quarter of an
 * upload's CPU time, and half of it in some processes.
 *
 * - V8 collects young garbage of this kind only after 32 MiB, and as much memory that is freed but not yet accounted makes
 *   it mark the whole heap, many times a second. So the garbage is collected after 16 MiB, and freed in the same step.
 *
 * - glibc returns the end of its heap as soon as 128 KiB of it are free, and faults it in again for the next chunk. Freeing
 *   one large block raises that limit to twice the block's size, permanently (mallopt(3), M_MMAP_THRESHOLD, "dynamic
 *   adjustment"; 32 MiB is the maximum). The block is never touched, so it uses no memory.
 */
export class ChunkGarbage {
  readonly #collectYoung: () => void
  #garbage = 0

  constructor(collectYoung: () => void) {
    this.#collectYoung = collectYoung
    // Unreferenced: the first collection frees it.
    Buffer.allocUnsafeSlow(largestBlock)
  }

  /** Records a chunk that was copied and is no longer needed, and collects the garbage once it is large. */
  add(bytes: number): void {
    this.#garbage += bytes
    if (this.#garbage < collectAt) return
    this.#garbage = 0
    this.#collectYoung()
  }
}

/** Below the maximum by more than the allocator's header. */
const largestBlock = 32 * 1024 ** 2 - 64 * 1024
const collectAt = 16 * 1024 ** 2
