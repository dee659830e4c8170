import { availableParallelism } from 'node:os'
import { Problem } from '../../protocol/problems.js'
import { type Deferred, deferred } from '../concurrency/deferred.js'
import { QueueFullError, Semaphore } from '../concurrency/semaphore.js'
import { type Child, type ChildEnd, notStarted, startChild } from './child.js'
import type { JsonValue } from './json-values.js'
import type { RowsReport, RowsTask, Values } from './rows-messages.js'
import { tablesUnavailable } from './unavailable.js'

type Run = Extract<RowsTask, { type: 'run' }>
type Answer = Extract<RowsReport, { type: 'rows' | 'bytes' }>

/** The requested rows do not fit into memory: request fewer. */
export class TooMuchAtOnce extends Error {}

const memoryBytes = 256 * 1024 ** 2
/** The engine's calls use threads of libuv, of which a process has four. */
const atOnce = 3
/** One slot is left to others, however much an account requests at once. */
const atOncePerAccount = 2
const maxWaitingPerAccount = 64

/** The one long-running process that reads rows. It is started by the first request, and again after it has ended. */
export class RowsEngine {
  readonly #folder: string
  readonly #slots = new Semaphore({
    slots: atOnce,
    slotsPerKey: atOncePerAccount,
    maxWaitingPerKey: maxWaitingPerAccount,
  })
  readonly #pending = new Map<number, Deferred<Answer>>()
  #child: Child<RowsTask, RowsReport> | undefined
  #lastId = 0
  #closed = false

  /** @param folder the folder that paths in statements are relative to; nothing outside of it can be read */
  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * The rows of all statements, in order; fewer if they are too large. Requests are served round robin by `account`.
   * Throws the signal's reason if it aborts, `TooMuchAtOnce`, and `busy` if too many requests of the account wait.
   */
  async rows(statements: string[], account: string, signal: AbortSignal, values: Values = {}): Promise<JsonValue[][]> {
    const answer = await this.#run({ statements, values, as: 'rows' }, account, signal)
    return answer.type === 'rows' ? answer.rows : []
  }

  /** The BLOB that a statement returns; empty if it returns none. Throws like `rows`. */
  async bytes(statement: string, account: string, signal: AbortSignal, values: Values = {}): Promise<Uint8Array> {
    const answer = await this.#run({ statements: [statement], values, as: 'bytes' }, account, signal)
    return answer.type === 'bytes' ? answer.bytes : new Uint8Array()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#child?.kill()
  }

  async #run(run: Omit<Run, 'type' | 'id'>, account: string, signal: AbortSignal): Promise<Answer> {
    const answer = this.#slots.run(account, signal, async () => {
      const child = this.#start()
      const id = ++this.#lastId
      const cancel = () => {
        child.send({ type: 'cancel', id })
        this.#pending.get(id)?.reject(signal.reason)
      }
      signal.addEventListener('abort', cancel, { once: true })
      try {
        const pending = deferred<Answer>()
        this.#pending.set(id, pending)
        child.send({ ...run, type: 'run', id })
        return await pending.promise
      } finally {
        signal.removeEventListener('abort', cancel)
        this.#pending.delete(id)
      }
    })
    return answer.catch((error) => {
      if (error instanceof QueueFullError)
        throw new Problem('busy', 'Too many requests for rows are waiting: try again later.')
      throw error
    })
  }

  #start(): Child<RowsTask, RowsReport> {
    if (this.#closed) throw new Problem('shutting-down', 'The server is shutting down.')
    if (this.#child) return this.#child
    const child = startChild<RowsTask, RowsReport>({
      script: './rows-child.js',
      folder: this.#folder,
      memoryBytes: null,
    })
    this.#child = child
    child.onReport((report) => this.#settle(report))
    child.gone.then((end) => this.#onGone(child, end))
    child.send({ type: 'open', folder: this.#folder, memoryBytes, threads: Math.min(4, availableParallelism()) })
    return child
  }

  #settle(report: RowsReport): void {
    const pending = this.#pending.get(report.id)
    if (report.type !== 'failed') pending?.resolve(report)
    else pending?.reject(problemOf(report))
  }

  #onGone(child: Child<RowsTask, RowsReport>, end: ChildEnd): void {
    if (this.#child === child) this.#child = undefined
    const cause = new Error(end.lastWords || 'It said nothing.')
    for (const { reject } of this.#pending.values()) {
      reject(notStarted(end) ?? new Problem('internal', 'The process that reads rows died; ask again.', {}, { cause }))
    }
  }
}

function problemOf({ missing, message }: Extract<RowsReport, { type: 'failed' }>): Error {
  if (missing) return tablesUnavailable()
  if (message.startsWith('Out of Memory')) return new TooMuchAtOnce(message)
  // Its files were removed after the table was looked up.
  if (message.startsWith('IO Error')) return new Problem('busy', 'The table was changed while it was read: ask again.')
  return new Error(message)
}
