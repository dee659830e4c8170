/** Where the server tells what happens to it. Never a token, a password or a file's content. */
export interface Log {
  info(message: string, details?: Record<string, unknown>): void
  error(message: string, error: unknown): void
}

/** One line a message on `stream`; an error with its stack. */
export function openLog(stream: { write(text: string): unknown }): Log {
  const line = (message: string) => stream.write(`${new Date().toISOString()} ${message}\n`)
  return {
    info: (message, details) => line(details ? `${message} ${JSON.stringify(details)}` : message),
    error: (message, error) => line(`${message}: ${error instanceof Error ? error.stack : String(error)}`),
  }
}
