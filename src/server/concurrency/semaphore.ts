export interface SemaphoreOptions {
  /** Concurrent holders in total; default: no limit. */
  slots?: number
  /** Concurrent holders of one key (of a path of keys: of the whole path); default: no limit. */
  slotsPerKey?: number | ((key: string) => number)
  /** The length of the queue; default: no limit. */
  maxWaiting?: number
  /** Waiters of one key (of a path: of its first key); default: no limit. */
  maxWaitingPerKey?: number
}

/**
 * Identifies the owner of a request, such as an account. With a path, such as `[address, account]`, slots alternate
 * between addresses first, then between the accounts of one address.
 */
export type SemaphoreKey = string | readonly string[]

/** Releases the slot. Repeating it is not an error. */
export type Release = () => void

/** Thrown by `acquire` if `maxWaiting` or `maxWaitingPerKey` requests are queued already. */
export class QueueFullError extends Error {
  constructor() {
    super('Too many requests are waiting already.')
  }
}

/**
 * A fair semaphore: free slots are assigned round robin to the waiting keys, and in order of arrival within a key.
 * However many requests one key queues, another key waits for at most one of them.
 */
export class Semaphore {
  readonly #options: SemaphoreOptions
  readonly #held = new Map<string, number>()
  readonly #waiting: KeyNode = { children: new Map(), queue: [], size: 0 }
  #holders = 0

  constructor(options: SemaphoreOptions = {}) {
    this.#options = options
  }

  /** The number of held slots: of this key, or in total. */
  held(key?: SemaphoreKey): number {
    return key === undefined ? this.#holders : (this.#held.get(pathOf(key).join(separator)) ?? 0)
  }

  /** The number of waiting requests: of this key, or in total. */
  waiting(key?: SemaphoreKey): number {
    let node: KeyNode | undefined = this.#waiting
    for (const part of key === undefined ? [] : pathOf(key)) node = node?.children.get(part)
    return node?.size ?? 0
  }

  /**
   * Acquires a slot synchronously. Undefined if the caller would have to wait, also behind earlier requests of the same
   * key.
   */
  tryAcquire(key: SemaphoreKey): Release | undefined {
    const path = pathOf(key)
    if (this.waiting(path) > 0 || !this.#hasSlot(path)) return undefined
    return this.#hold(path)
  }

  /**
   * Acquires a slot, synchronously (before the call returns) if one is free. Rejects with the signal's reason if it
   * aborts first, and with `QueueFullError`.
   */
  acquire(key: SemaphoreKey, signal?: AbortSignal): Promise<Release> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const path = pathOf(key)
    const release = this.tryAcquire(path)
    if (release) return Promise.resolve(release)
    const { maxWaiting = Number.POSITIVE_INFINITY, maxWaitingPerKey = Number.POSITIVE_INFINITY } = this.#options
    if (this.#waiting.size >= maxWaiting || this.waiting(path[0]!) >= maxWaitingPerKey) {
      return Promise.reject(new QueueFullError())
    }
    return new Promise<Release>((resolve, reject) => {
      const abandon = () => {
        this.#remove(waiter)
        reject(signal?.reason)
      }
      const waiter: Waiter = {
        path,
        admit: () => {
          signal?.removeEventListener('abort', abandon)
          resolve(this.#hold(path))
        },
      }
      this.#append(waiter)
      signal?.addEventListener('abort', abandon, { once: true })
    })
  }

  /** Runs the work while holding a slot. Throws like `acquire`; the work observes the signal itself. */
  async run<Result>(key: SemaphoreKey, signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
    const release = this.tryAcquire(key) ?? (await this.acquire(key, signal))
    try {
      signal?.throwIfAborted()
      return await work()
    } finally {
      release()
    }
  }

  /** Admits waiters after a limit has changed. */
  admit(): void {
    for (let next = this.#next(this.#waiting); next; next = this.#next(this.#waiting)) next.admit()
  }

  #hasSlot(path: readonly string[]): boolean {
    const { slots = Number.POSITIVE_INFINITY, slotsPerKey = Number.POSITIVE_INFINITY } = this.#options
    const key = path.join(separator)
    const limit = typeof slotsPerKey === 'number' ? slotsPerKey : slotsPerKey(key)
    return this.#holders < slots && (this.#held.get(key) ?? 0) < limit
  }

  #hold(path: readonly string[]): Release {
    const key = path.join(separator)
    this.#holders++
    this.#held.set(key, (this.#held.get(key) ?? 0) + 1)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#holders--
      const left = this.#held.get(key)! - 1
      if (left > 0) this.#held.set(key, left)
      else this.#held.delete(key)
      this.admit()
    }
  }

  #append(waiter: Waiter): void {
    let node = this.#waiting
    node.size++
    for (const part of waiter.path) {
      const child: KeyNode = node.children.get(part) ?? { children: new Map(), queue: [], size: 0 }
      node.children.set(part, child)
      node = child
      node.size++
    }
    node.queue.push(waiter)
  }

  #remove(waiter: Waiter): void {
    const { path } = waiter
    const nodes = [this.#waiting]
    for (const part of path) nodes.push(nodes.at(-1)!.children.get(part)!)
    const { queue } = nodes.at(-1)!
    queue.splice(queue.indexOf(waiter), 1)
    for (const node of nodes) node.size--
    for (let depth = path.length; depth > 0; depth--) {
      if (nodes[depth]!.size === 0) nodes[depth - 1]!.children.delete(path[depth - 1]!)
    }
  }

  /** Removes the next waiter whose key has a slot from the queue, and moves its keys to the end. */
  #next(node: KeyNode): Waiter | undefined {
    const own = node.queue[0]
    if (own && this.#hasSlot(own.path)) {
      this.#remove(own)
      return own
    }
    for (const [part, child] of node.children) {
      const waiter = this.#next(child)
      if (!waiter) continue
      if (node.children.delete(part) && child.size > 0) node.children.set(part, child)
      return waiter
    }
    return undefined
  }
}

interface Waiter {
  path: readonly string[]
  admit(): void
}

/** The waiters of one key, and of the keys below it. A map keeps the order of insertion: the first child is next. */
interface KeyNode {
  children: Map<string, KeyNode>
  queue: Waiter[]
  size: number
}

function pathOf(key: SemaphoreKey): readonly string[] {
  return typeof key === 'string' ? [key] : key
}

/** Occurs in no account, address or file name. */
const separator = '\0'
