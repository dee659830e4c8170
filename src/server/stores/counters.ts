/** Counters from 1 for each name whose numbers are never repeated, neither after a removal nor after a crash. */
export interface Counters {
  /** The next number of that name. It is on disk before it is returned; an unused one is skipped. */
  next(name: string): Promise<number>
}
