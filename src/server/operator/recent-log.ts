import { randomBytes } from 'node:crypto'
import { Problem } from '../../protocol/problems.js'
import type { LogLine } from '../../protocol/server-state.js'
import type { Clock } from '../clock.js'
import type { FeedReader } from '../jobs/feed.js'
import { auditMessage, type Log, secretDetails } from '../log.js'

export interface RecentLogOptions {
  clock: Pick<Clock, 'now'>
  /** Default 1000. */
  maxLines?: number
}

export interface LogListening {
  /** The id of the last received line; undefined for a new listener. */
  after: string | undefined
  /** How many earlier lines a new listener gets at most. */
  limit: number
  onNews(): void
  /** Called when the log ends: the server is shutting down. */
  onEnd(): void
}

/** The latest lines of the log, in memory. A line is cut: it has 13 texts of 1,000 characters at most. */
export class RecentLog {
  readonly #boot = randomBytes(6).toString('hex')
  readonly #clock: Pick<Clock, 'now'>
  readonly #maxLines: number
  #lines: LogLine[] = []
  #count = 0
  readonly #listeners = new Set<LogListening>()
  #isClosed = false
  #isTelling = false

  constructor({ clock, maxLines = 1000 }: RecentLogOptions) {
    this.#clock = clock
    this.#maxLines = maxLines
  }

  /** A log that writes to another one, and is kept here. */
  keeping(log: Log): Log {
    return {
      info: (message, details = {}) => {
        log.info(message, details)
        this.#add('info', message, details)
      },
      audit: (event, record) => {
        log.audit(event, record)
        this.#add('info', auditMessage(event, record), { audit: true, event, ...record })
      },
      warn: (message, error) => {
        log.warn(message, error)
        this.#add('warn', message, { error: textOf(error) })
      },
      error: (message, error) => {
        log.error(message, error)
        this.#add('error', message, { error: textOf(error) })
      },
    }
  }

  /** The last ones, oldest first. */
  lines(limit: number): LogLine[] {
    return this.#lines.slice(Math.max(0, this.#lines.length - limit))
  }

  /** Throws `shutting-down` after `close`. */
  listen(listening: LogListening): FeedReader {
    if (this.#isClosed) throw new Problem('shutting-down', 'The server is shutting down: listen again when it is back.')
    this.#listeners.add(listening)
    let next = this.#placeOf(listening.after) ?? Math.max(this.#first, this.#count - listening.limit)
    return {
      read: () => {
        const lines = this.#lines.slice(Math.max(0, next - this.#first)).slice(0, linesAtOnce)
        if (lines.length === 0) return null
        next = Math.max(next, this.#first) + lines.length
        return Buffer.from(lines.map(formatLine).join(''))
      },
      heartbeat: () => ': heartbeat\n\n',
      close: () => {
        this.#listeners.delete(listening)
      },
    }
  }

  /** Ends every stream. */
  close(): void {
    this.#isClosed = true
    for (const { onEnd } of [...this.#listeners]) onEnd()
    this.#listeners.clear()
  }

  /** The number of the oldest line. */
  get #first(): number {
    return this.#count - this.#lines.length
  }

  /** The number of the line after that with this id; undefined if that is of another run of the server. */
  #placeOf(id: string | undefined): number | undefined {
    const [, boot, number] = /^([0-9a-f]+)-(\d{1,15})$/.exec(id ?? '') ?? []
    return boot === this.#boot && Number(number) < this.#count ? Number(number) + 1 : undefined
  }

  #add(level: LogLine['level'], message: string, details: Record<string, unknown>): void {
    const id = `${this.#boot}-${this.#count}`
    const at = new Date(this.#clock.now()).toISOString()
    this.#lines.push({ id, at, level, message: message.slice(0, maxLength), details: detailsOf(details) })
    this.#count += 1
    if (this.#lines.length > this.#maxLines) this.#lines.shift()
    this.#tellSoon()
  }

  /** Lines of the same time are sent together. */
  #tellSoon(): void {
    if (this.#isTelling || this.#listeners.size === 0) return
    this.#isTelling = true
    setImmediate(() => {
      this.#isTelling = false
      for (const { onNews } of [...this.#listeners]) onNews()
    })
  }
}

function formatLine(line: LogLine): string {
  return `id: ${line.id}\nevent: line\ndata: ${JSON.stringify(line)}\n\n`
}

/** Without secrets, and short. */
function detailsOf(details: Record<string, unknown>): LogLine['details'] {
  const entries = Object.entries(details).filter(([name]) => !secretDetails.includes(name))
  return Object.fromEntries(
    entries
      .slice(0, maxDetails)
      .map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, maxLength) : value]),
  )
}

/** What the log of the operator has in full. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : ` (${textOf(error.cause)})`
  return `${error.message || error.name}${cause}`
}

const maxLength = 1000
const maxDetails = 12
const linesAtOnce = 200
