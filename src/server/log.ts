import { pino } from 'pino'
import type { LogFormat, LogLevel } from '../protocol/options/option-log.js'
import type { AuditEvent, AuditRecord } from './audit-events.js'

/** The server's log. Never contains a token, a password or a file's content. */
export interface Log {
  info(message: string, details?: Record<string, unknown>): void
  /** Who did what, from where: an info that no level leaves out. */
  audit(event: AuditEvent, record: AuditRecord): void
  /** A non-essential operation failed. */
  warn(message: string, error: unknown): void
  error(message: string, error: unknown): void
}

/** No caller passes these; if one does, they are not logged. */
export const secretDetails = ['token', 'password', 'authorization', 'cookie', 'auth_token']

/** The destination of lines: a terminal, or any other stream. */
export interface LogStream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

export interface LogOptions {
  /** The least important lines that are written; default `info`. */
  level?: LogLevel
  /** Default, also for null: text on a terminal, otherwise JSON. */
  format?: LogFormat | null
}

/** Writes one line per message to `stream`. Errors include their stack. */
export function openLog(stream: LogStream, { level = 'info', format = null }: LogOptions = {}): Log {
  const isText = (format ?? (stream.isTTY ? 'text' : 'json')) === 'text'
  const write = (line: string) => stream.write(wordLine(line, stream.isTTY ? timeOfDay : dateAndTime))
  const destination = isText ? { write } : stream
  const logger = pino(
    {
      base: null,
      messageKey: 'message',
      errorKey: 'error',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      redact: { paths: [...secretDetails], censor: '…' },
    },
    destination as { write(line: string): void },
  )
  const withError = (error: unknown) => (error instanceof Error ? { error } : { error: String(error) })
  const writes = { info: level === 'info', warn: level !== 'error' }
  return {
    info(message, details) {
      if (writes.info) logger.info(details ?? {}, message)
    },
    audit: (event, record) => logger.info({ audit: true, event, ...record }, auditMessage(event, record)),
    warn(message, error) {
      if (writes.warn) logger.warn(withError(error), message)
    },
    error: (message, error) => logger.error(withError(error), message),
  }
}

/** The message of an audit line. */
export function auditMessage(event: AuditEvent, { outcome }: Pick<AuditRecord, 'outcome'>): string {
  return `audit: ${event} ${outcome}`
}

/** A person at a terminal knows the date. */
const timeOfDay = (time: Date) => time.toTimeString().slice(0, 8)
const dateAndTime = (time: Date) => time.toISOString()

/** Formats a line of JSON for people: the time, the message, the other fields, and an error's stack below. */
function wordLine(line: string, wordTime: (time: Date) => string): string {
  const { level, time, message, error, ...details } = JSON.parse(line) as Record<string, unknown>
  const at = wordTime(new Date(String(time)))
  const rest = Object.entries(details)
    .filter(([name, value]) => value !== null && !inMessage.includes(name))
    .map(
      ([name, value]) =>
        ` ${name}=${typeof value === 'string' && /^[\w:./@+-]+$/.test(value) ? value : JSON.stringify(value)}`,
    )
  const trace = (error as { stack?: string } | undefined)?.stack ?? error
  return `${at} ${level === 'info' ? '' : `${String(level).toUpperCase()} `}${message}${rest.join('')}${trace === undefined ? '' : `\n${trace}`}\n`
}

/** For programs that filter; for people they are in the message. */
const inMessage = ['method', 'path', 'status', 'kind', 'file', 'state', 'audit', 'event', 'outcome']
