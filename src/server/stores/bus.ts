/** What servers tell each other. */
export type BusMessage =
  /** A job of that server got a slot. */
  | { granted: string }
  /** Jobs wait for the slots of a kind and account, or none does any more. */
  | { wanted: string; isWanted: boolean }
  /** There is a request to a job of that server. */
  | { request: string }
  /** The request has its answer. */
  | { answered: string }

/**
 * Messages between servers. Any of them may be lost: they make it fast, and what has to be certain is in the rows,
 * which are read again after a gap.
 */
export interface Bus {
  /** To a server, by its number, or to all others. Returns at once, and never throws. */
  tell(to: number | 'all', message: BusMessage): void
  /** Returns a function that removes the listener. */
  onMessage(listener: (message: BusMessage, from: number) => void): () => void
  /** Called when messages may have been lost. Returns a function that removes the listener. */
  onGap(listener: () => void): () => void
}
