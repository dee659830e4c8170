/** The space that is left for bytes, of all accounts together. */
export interface Capacity {
  /** Bytes that can still be written; infinity if unlimited. */
  freeBytes(): Promise<number>
  /** Resolves when the space of everything removed so far is free: a file keeps its blocks while it is open. */
  freed(): Promise<void>
}
