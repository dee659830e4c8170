import { type Deferred, deferred } from '../../concurrency/deferred.js'
import type { Bus, BusMessage } from '../bus.js'
import type { SlotJob } from '../slots.js'
import { nameOfSlots, type SlotKey } from './slot-key.js'

/** What happens in this server about slots: the jobs that wait, and the holders that want to know whether any does. */
export class SlotWaiters {
  readonly #bus: Bus
  /** Also jobs that may have to wait: a slot may be given to them before their claim has returned. */
  readonly #waiting = new Map<string, { key: SlotKey; granted: Deferred<void>; isQueued: boolean }>()
  readonly #watchers = new Map<string, { key: SlotKey; onWanted: () => void }>()
  /** Keys for which jobs of other servers wait, as far as they have told. */
  readonly #wantedElsewhere = new Set<string>()
  /** Keys for which this server has told that jobs wait. */
  readonly #told = new Set<string>()

  constructor(bus: Bus) {
    this.#bus = bus
    bus.onMessage((message) => this.#receive(message))
  }

  /** Call it before a claim, and `end` after it unless the job waits. */
  expect(job: SlotJob): void {
    this.#waiting.set(job.id, { key: keyOf(job), granted: deferred(), isQueued: false })
  }

  /** Resolves when the expected job was granted a slot. Rejects with the signal's reason. Call `end` after it. */
  async wait(job: SlotJob, signal: AbortSignal): Promise<void> {
    const waiter = this.#waiting.get(job.id)
    // It was granted before its claim returned.
    if (!waiter) return
    const { granted } = waiter
    waiter.isQueued = true
    const leave = () => granted.reject(signal.reason)
    signal.addEventListener('abort', leave)
    try {
      this.tell(job, true)
      this.#notify(job)
      signal.throwIfAborted()
      await granted.promise
      // It may have been aborted in the same moment.
      signal.throwIfAborted()
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  granted(id: string): void {
    this.#waiting.get(id)?.granted.resolve()
    this.#waiting.delete(id)
  }

  end({ id }: SlotJob): void {
    this.#waiting.delete(id)
  }

  /** `onWanted` is called when another job starts to wait. */
  watch(job: SlotJob, onWanted: () => void): void {
    this.#watchers.set(job.id, { key: keyOf(job), onWanted })
  }

  unwatch({ id }: SlotJob): void {
    this.#watchers.delete(id)
  }

  isWanted(key: SlotKey): boolean {
    const name = nameOfSlots(key)
    return this.keys().some((own) => nameOfSlots(own) === name) || this.#wantedElsewhere.has(name)
  }

  /** Of the jobs that wait here. */
  keys(): SlotKey[] {
    const queued = [...this.#waiting.values()].filter(({ isQueued }) => isQueued)
    return [...new Map(queued.map(({ key }) => [nameOfSlots(key), key])).values()]
  }

  ids(): string[] {
    return [...this.#waiting.keys()]
  }

  /** Tells the other servers whether jobs wait. */
  tell(key: SlotKey, isWanted: boolean): void {
    const name = nameOfSlots(key)
    const wasWanted = this.#told.delete(name)
    const wasWantedElsewhere = !isWanted && this.#wantedElsewhere.delete(name)
    if (isWanted) this.#told.add(name)
    if (isWanted || wasWanted || wasWantedElsewhere) this.#bus.tell('all', { wanted: name, isWanted })
  }

  #receive(message: BusMessage): void {
    if ('granted' in message) this.granted(message.granted)
    if (!('wanted' in message)) return
    const { wanted, isWanted } = message
    if (!isWanted) this.#wantedElsewhere.delete(wanted)
    else if (!this.#wantedElsewhere.has(wanted)) {
      this.#wantedElsewhere.add(wanted)
      for (const { key, onWanted } of this.#watchers.values()) if (nameOfSlots(key) === wanted) onWanted()
    }
  }

  #notify(waiting: SlotKey): void {
    for (const { key, onWanted } of this.#watchers.values()) if (nameOfSlots(key) === nameOfSlots(waiting)) onWanted()
  }
}

function keyOf({ kind, account }: SlotKey): SlotKey {
  return { kind, account }
}
