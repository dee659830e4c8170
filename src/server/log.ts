import { pino } from 'pino'

/** The server's log. Never contains a token, a password or a file's content. */
export interface Log {
  info(message: string, details?: Record<string, unknown>): void
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

/** Writes one line per message to `stream`: text on a terminal, otherwise JSON. Errors include their stack. */
export function openLog(stream: LogStream): Log {
  const destination = stream.isTTY ? { write: (line: string) => stream.write(wordLine(line)) } : stream
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
  return {
    info: (message, details) => logger.info(details ?? {}, message),
    warn: (message, error) => logger.warn(withError(error), message),
    error: (message, error) => logger.error(withError(error), message),
  }
}

/** Formats a line of JSON for people: the time of day, the message, the other fields, and an error's stack below. */
function wordLine(line: string): string {
  const { level, time, message, error, ...details } = JSON.parse(line) as Record<string, unknown>
  const at = new Date(String(time)).toTimeString().slice(0, 8)
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
const inMessage = ['method', 'path', 'status', 'kind', 'file', 'state']
