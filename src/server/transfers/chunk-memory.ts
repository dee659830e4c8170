import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Keeps cheap what Node does for each chunk of a request's body: it allocates memory of its own for every 64 KiB. By
 * default that memory costs a quarter of an upload's CPU time, and in some processes half of it:
 *
 * - V8 lets 32 MiB of such garbage gather before it collects the young, and takes up to as much, that it has freed but not
 *   yet accounted for, as a reason to mark the whole heap, many times a second. Here it is collected at half of that, and
 *   freed in the same step.
 * - glibc gives the end of its heap back as soon as 128 KiB of it are free, and it is faulted in again for the next chunk.
 *   Freeing one large block raises that limit to twice the block's size, for good (mallopt(3), M_MMAP_THRESHOLD, "dynamic
 *   adjustment"; 32 MiB is the most that counts). The block is never touched, so it takes no memory.
 */
export class ChunkMemory {
  readonly #collect = youngCollector()
  #garbage = 0

  constructor() {
    // Nobody holds it: the first collection frees it.
    Buffer.allocUnsafeSlow(largestBlock)
  }

  /** Notes that a chunk was copied and is not needed any more. */
  copied(bytes: number): void {
    this.#garbage += bytes
    if (this.#garbage < collectAt) return
    this.#garbage = 0
    this.#collect()
  }
}

function youngCollector(): () => void {
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
  setFlagsFromString('--expose-gc')
  const collect: (options: { type: 'minor' }) => void = runInNewContext('gc')
  return () => collect({ type: 'minor' })
}

/** A little less than the most, for the allocator's own header. */
const largestBlock = 32 * 1024 ** 2 - 64 * 1024
const collectAt = 16 * 1024 ** 2
