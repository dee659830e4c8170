import { type Child, type ChildOptions, type StartChild, startChild } from './child.js'

export interface SpareProcessesOptions {
  /** Kinds to keep ready before one of them was started. */
  kinds?: readonly ChildOptions[]
  /** How long they stand ready after the last process was started, in milliseconds. Default 1 h. */
  idleMs?: number
}

/**
 * Starts processes of the engine. Once the first one has ended, one of each kind stands ready: it has loaded the engine,
 * but was told nothing, and is used for one task. Before that, and when they were idle for long, they would only take memory.
 */
export class SpareProcesses {
  readonly #kinds: ChildOptions[]
  readonly #idleMs: number
  readonly #spares = new Map<ChildOptions, Child<unknown, unknown>>()
  #renewal: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  #closed = false

  constructor({ kinds = [], idleMs = defaultIdleMs }: SpareProcessesOptions) {
    this.#kinds = [...kinds]
    this.#idleMs = idleMs
  }

  /** Like `startChild`, with a process that is ready if there is one of this kind. */
  start: StartChild = <Task, Report>(options: ChildOptions) => {
    const kind = this.#kinds.find((each) => isSame(each, options))
    if (!kind) this.#kinds.push(options)
    const spare = kind && (this.#spares.get(kind) as Child<Task, Report> | undefined)
    if (spare) this.#spares.delete(kind)
    const child = spare ? replacedIfDead(spare, () => startChild(options)) : startChild<Task, Report>(options)
    child.gone.then(({ spawnError }) => spawnError === null && this.#renew())
    return child
  }

  /** Ends those that stand ready; no others will. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#renewal)
    await this.#end()
  }

  async #end(): Promise<void> {
    clearTimeout(this.#expiry)
    await Promise.all([...this.#spares.values()].map((spare) => spare.kill()))
  }

  /** A little later: the result of the process that has ended is sent first. */
  #renew(): void {
    if (this.#closed) return
    clearTimeout(this.#expiry)
    this.#expiry = setTimeout(() => void this.#end(), this.#idleMs).unref()
    clearTimeout(this.#renewal)
    this.#renewal = setTimeout(() => this.#fill(), renewalMs).unref()
  }

  #fill(): void {
    for (const kind of this.#kinds) {
      if (this.#spares.has(kind)) continue
      const spare = startChild({ ...kind, isSpare: true })
      this.#spares.set(kind, spare)
      // One that has died is not replaced at once: if that is because of memory, it would go on.
      spare.gone.then(() => {
        if (this.#spares.get(kind) === spare) this.#spares.delete(kind)
      })
    }
  }
}

function isSame(one: ChildOptions, other: ChildOptions): boolean {
  return one.script === other.script && one.folder === other.folder && one.memoryBytes === other.memoryBytes
}

/** A process that is to have its task now. Another one gets it if it has died before. */
function replacedIfDead<Task, Report>(
  spare: Child<Task, Report>,
  startFresh: () => Child<Task, Report>,
): Child<Task, Report> {
  const sent: Task[] = []
  const listeners: ((report: Report) => void)[] = []
  let child = spare
  let isKilled = false
  const gone = spare.gone.then((end) => {
    if (spare.hasBegun || isKilled) return end
    child = startFresh()
    for (const listener of listeners) child.onReport(listener)
    for (const task of sent) child.send(task)
    return child.gone
  })
  return {
    send(task) {
      sent.push(task)
      child.send(task)
    },
    get hasBegun() {
      return child.hasBegun
    },
    gone,
    async kill() {
      isKilled = true
      await child.kill()
      await gone
    },
    onReport(listener) {
      listeners.push(listener)
      child.onReport(listener)
    },
  }
}

const renewalMs = 50
const defaultIdleMs = 3_600_000
