import type { JobEvent } from '../../protocol/jobs.js'
import { routes } from '../../protocol/routes.js'
import { type Refusal, refusalOf, Unreachable } from '../api.js'

export interface EventReading {
  /** The jobs of all accounts, for admins. */
  all: boolean
  /** The id of the last received event. */
  after: string | undefined
  signal: AbortSignal
  /** Whether an event is due soon: then silence means that the connection is dead. */
  expectsEvents(): boolean
  /** The server has responded; events follow. */
  onOpen(): void
  onEvents(events: JobEvent[]): void
}

/**
 * Reads `/jobs/events` until it ends; resolves if the server ended it. Throws `Refusal`, and `Unreachable` if the
 * connection broke or was silent for too long.
 */
export async function readEventStream({
  all,
  after,
  signal,
  expectsEvents,
  onOpen,
  onEvents,
}: EventReading): Promise<void> {
  const silence = new AbortController()
  let heardAt = performance.now()
  let limitMs = answerMs
  const watch = setInterval(() => {
    if (performance.now() - heardAt > limitMs) silence.abort()
  }, 500)
  const heard = () => {
    heardAt = performance.now()
    limitMs = expectsEvents() ? newsMs : heartbeatsMs
  }
  const abort = AbortSignal.any([signal, silence.signal])
  try {
    const path = `${routes.jobEvents}${all ? '?account=all' : ''}`
    const headers: Record<string, string> = { Accept: 'application/x-ndjson' }
    if (after !== undefined) headers['Last-Event-ID'] = after
    const answer = await fetch(path, { headers, signal: abort })
    if (!answer.ok || !answer.body) throw refusalOf(answer.status, await answer.text(), path) satisfies Refusal
    onOpen()
    heard()
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const lines = (rest + value).split('\n')
      rest = lines.pop() ?? ''
      const events = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JobEvent)
      if (events.length > 0) onEvents(events)
      heard()
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof Error && error.name === 'Refusal') throw error
    throw new Unreachable(error)
  } finally {
    clearInterval(watch)
  }
}

const answerMs = 10_000
/** Progress is sent four times a second. */
const newsMs = 4500
/** Two missed heartbeats. */
const heartbeatsMs = 35_000
