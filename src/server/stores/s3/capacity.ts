import type { Capacity } from '../capacity.js'

/** A bucket has no end that a server could know. */
export const bucketCapacity: Capacity = {
  freeBytes: async () => Number.POSITIVE_INFINITY,
  async freed() {},
}
