/** One event that happened, with what its listeners need to know of it. */
export interface LoggedEvent {
  /** Rises by at least 1 from event to event. */
  seq: number
  /** Who may hear of it; null: nobody, since it only marks a place. */
  accountId: number | null
  /** The job's record as JSON. */
  job: string
}

/** The latest events in order, up to a size: older ones are forgotten. */
export class EventLog {
  readonly #maxBytes: number
  #events: LoggedEvent[] = []
  #start = 0
  #bytes = 0
  #forgotten = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The number of the newest event; 0 before the first. */
  get end(): number {
    return this.#events.at(-1)?.seq ?? this.#forgotten
  }

  append(event: LoggedEvent): void {
    this.#events.push(event)
    this.#bytes += event.job.length + overheadBytes
    while (this.#bytes > this.#maxBytes) this.#forgetOldest()
  }

  /** Whether all that came after `seq` is still here, and `seq` is a place from which one can go on. */
  reaches(seq: number): boolean {
    return seq === this.#forgotten || this.#events[this.#indexAfter(seq) - 1]?.seq === seq
  }

  /** The events after `seq`, oldest first. */
  *after(seq: number): Generator<LoggedEvent> {
    for (let index = this.#indexAfter(seq); index < this.#events.length; index++) yield this.#events[index]!
  }

  #indexAfter(seq: number): number {
    let low = this.#start
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#events[middle]!.seq <= seq) low = middle + 1
      else high = middle
    }
    return low
  }

  #forgetOldest(): void {
    const oldest = this.#events[this.#start]
    if (!oldest) return
    this.#forgotten = oldest.seq
    this.#bytes -= oldest.job.length + overheadBytes
    this.#start++
    // Moved up only now and then: forgetting one at a time must not cost the length of the log.
    if (this.#start * 2 < this.#events.length) return
    this.#events = this.#events.slice(this.#start)
    this.#start = 0
  }
}

/** What an event takes beside its text, more or less. */
const overheadBytes = 100
