/** Numbers that count up from 1 for each name and never repeat: neither after a removal nor after a crash. */
export interface Counters {
  /** The next number of that name. It is on disk before it is handed out; one that is then not used is skipped. */
  next(name: string): Promise<number>
}
