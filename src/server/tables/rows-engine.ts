import { availableParallelism } from 'node:os'
import { Problem } from '../../protocol/problems.js'
import { type Child, startChild } from './child.js'
import { Gate } from './gate.js'
import type { JsonValue } from './json-values.js'
import type { RowsReport, RowsTask } from './rows-messages.js'
import { tablesUnavailable } from './unavailable.js'

type Run = Extract<RowsTask, { type: 'run' }>
type Answer = Extract<RowsReport, { type: 'rows' | 'bytes' }>

interface Pending {
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** What was asked for does not fit into memory: ask for less. */
export class TooMuchAtOnce extends Error {}

const memoryBytes = 256 * 1024 ** 2
/** The engine's calls take threads of libuv, of which a process has four. */
const atOnce = 3

/** The one warm process that reads rows. It is started by the first request, and again after a death. */
export class RowsEngine {
  readonly #folder: string
  readonly #gate = new Gate(atOnce)
  readonly #pending = new Map<number, Pending>()
  #child: Child<RowsTask, RowsReport> | undefined
  #lastId = 0
  #closed = false

  /** @param folder what the paths in statements are relative to; nothing outside of it can be read */
  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * The rows of all statements, one after the other; fewer where they are too large. Throws the signal's reason if it
   * aborts, and `TooMuchAtOnce`.
   */
  async rows(statements: string[], signal: AbortSignal): Promise<JsonValue[][]> {
    const answer = await this.#run({ statements, as: 'rows' }, signal)
    return answer.type === 'rows' ? answer.rows : []
  }

  /** The BLOB that a statement gives; empty where it gives none. Throws the signal's reason, and `TooMuchAtOnce`. */
  async bytes(statement: string, signal: AbortSignal): Promise<Uint8Array> {
    const answer = await this.#run({ statements: [statement], as: 'bytes' }, signal)
    return answer.type === 'bytes' ? answer.bytes : new Uint8Array()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#child?.kill()
  }

  async #run(run: Pick<Run, 'statements' | 'as'>, signal: AbortSignal): Promise<Answer> {
    return this.#gate.pass(signal, async () => {
      const child = this.#start()
      const id = ++this.#lastId
      const cancel = () => {
        child.send({ type: 'cancel', id })
        this.#pending.get(id)?.reject(signal.reason)
      }
      signal.addEventListener('abort', cancel, { once: true })
      try {
        return await new Promise<Answer>((resolve, reject) => {
          this.#pending.set(id, { resolve, reject })
          child.send({ ...run, type: 'run', id })
        })
      } finally {
        signal.removeEventListener('abort', cancel)
        this.#pending.delete(id)
      }
    })
  }

  #start(): Child<RowsTask, RowsReport> {
    if (this.#closed) throw new Problem('shutting-down', 'The server is shutting down.')
    if (this.#child) return this.#child
    const child = startChild<RowsTask, RowsReport>('./rows-child.js', { folder: this.#folder, memoryBytes: null })
    this.#child = child
    child.onReport((report) => this.#settle(report))
    child.gone.then(({ lastWords }) => this.#onGone(child, lastWords))
    child.send({ type: 'open', folder: this.#folder, memoryBytes, threads: Math.min(4, availableParallelism()) })
    return child
  }

  #settle(report: RowsReport): void {
    const pending = this.#pending.get(report.id)
    if (report.type !== 'failed') pending?.resolve(report)
    else pending?.reject(problemOf(report))
  }

  #onGone(child: Child<RowsTask, RowsReport>, lastWords: string): void {
    if (this.#child === child) this.#child = undefined
    const cause = new Error(lastWords || 'It said nothing.')
    for (const { reject } of this.#pending.values()) {
      reject(new Problem('internal', 'The process that reads rows died; ask again.', {}, { cause }))
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
