import type { JobEvent } from '../../protocol/jobs.js'
import { routes } from '../../protocol/routes.js'
import { type Refusal, refusalOf, Unreachable } from '../api.js'

export interface EventReading {
  /** Everybody's jobs instead of one's own: for admins. */
  all: boolean
  /** The id of the last event that was received. */
  after: string | undefined
  signal: AbortSignal
  /** The server has answered; events follow. */
  onOpen(): void
  onEvents(events: JobEvent[]): void
}

/**
 * Reads `/jobs/events` until it ends; resolves where the server ended it. Throws `Refusal`, and `Unreachable` where the
 * connection broke or said nothing for too long.
 */
export async function readEvents({ all, after, signal, onOpen, onEvents }: EventReading): Promise<void> {
  const silence = new AbortController()
  let timer = setTimeout(() => silence.abort(), silenceMs)
  const abort = AbortSignal.any([signal, silence.signal])
  try {
    const path = `${routes.jobEvents}${all ? '?account=all' : ''}`
    const headers: Record<string, string> = { Accept: 'application/x-ndjson' }
    if (after !== undefined) headers['Last-Event-ID'] = after
    const answer = await fetch(path, { headers, signal: abort })
    if (!answer.ok || !answer.body) throw refusalOf(answer.status, await answer.text(), path) satisfies Refusal
    onOpen()
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), silenceMs)
      const lines = (rest + value).split('\n')
      rest = lines.pop() ?? ''
      const events = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JobEvent)
      if (events.length > 0) onEvents(events)
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof Error && error.name === 'Refusal') throw error
    throw new Unreachable(error)
  } finally {
    clearTimeout(timer)
  }
}

/** Two heartbeats were missed. */
const silenceMs = 35_000
