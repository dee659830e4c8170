/** A logged event, with the properties that determine its listeners. */
export interface LoggedEvent {
  /** Increases by at least 1 per event. */
  seq: number
  /** The account that may see it; null for none, since it only marks a place. */
  accountId: number | null
  /** The job's record as JSON. */
  job: string
}

/** The latest events in order, up to a size limit: older ones are removed. */
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

  /** Forgets all events; `seq` is the next position to continue from. */
  clear(seq: number): void {
    this.#events = []
    this.#start = 0
    this.#bytes = 0
    this.#forgotten = seq
  }

  /** Whether all events after `seq` are still in the log, and `seq` is a position to resume from. */
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
    // Compacted only occasionally: removing one event must not take time proportional to the log.
    if (this.#start * 2 < this.#events.length) return
    this.#events = this.#events.slice(this.#start)
    this.#start = 0
  }
}

/** The approximate memory of an event besides its text. */
const overheadBytes = 100
