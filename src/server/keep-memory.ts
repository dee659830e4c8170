/**
 * Lets glibc keep memory that was freed for what comes next. By default it gives the end of its heap back as soon as
 * 128 KiB of it are free, and the chunks of an upload are then faulted in again and again: a quarter of its CPU time.
 * Freeing one large block raises that limit to twice the block's size, for good (mallopt(3), M_MMAP_THRESHOLD: "dynamic
 * adjustment"; 32 MiB is the most that counts). The block is never touched, so it takes no memory. Elsewhere it does nothing.
 */
export function keepFreedMemory(): void {
  // Nobody holds it: the first collection frees it.
  Buffer.allocUnsafeSlow(largestBlock)
}

/** A little less than the most, for the allocator's own header. */
const largestBlock = 32 * 1024 ** 2 - 64 * 1024
