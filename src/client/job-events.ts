import type { JobEvent } from '../protocol/jobs.js'
import { routes } from '../protocol/routes.js'
import type { StreamingApi } from './api.js'
import { isPassing } from './errors.js'
import { waitMs } from './time-limit.js'
import { readLines } from './transport.js'

export interface EventSource {
  readonly api: StreamingApi
  /** Includes all accounts (admins only). */
  readonly all: boolean
  /** Ends the events without an error. */
  readonly signal: AbortSignal
  /** The connection broke and is being reconnected. */
  onBroken(): void
}

/**
 * The server's live events, including heartbeats, over as many connections as needed: each resumes after the last
 * event. Throws if the first connection fails or the server rejects a request, as it does after a logout.
 */
export async function* readEvents({ api, all, signal, onBroken }: EventSource): AsyncGenerator<JobEvent> {
  let lastId: string | undefined
  let failures = 0
  for (;;) {
    try {
      for await (const event of readConnection(api, all, lastId, signal)) {
        failures = 0
        lastId = event.id
        yield event
      }
    } catch (error) {
      if (signal.aborted) return
      if (lastId === undefined || !isPassing(error)) throw error
    }
    if (signal.aborted) return
    onBroken()
    const pauseMs = Math.min(firstPauseMs * 2 ** failures, longestPauseMs)
    failures += 1
    await waitMs(pauseMs, signal).catch(() => {})
  }
}

const firstPauseMs = 250
const longestPauseMs = 5000
/** The server sends a heartbeat every 15 s. */
const longestSilenceMs = 45_000

async function* readConnection(
  api: StreamingApi,
  all: boolean,
  lastId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<JobEvent> {
  const resume: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId }
  const answer = await api.open('GET', routes.jobEvents, {
    query: all ? { account: 'all' } : {},
    headers: { accept: 'application/x-ndjson', ...resume },
    timeoutMs: longestSilenceMs,
    signal,
  })
  try {
    for await (const line of readLines(answer.chunks())) if (line !== '') yield JSON.parse(line) as JobEvent
  } finally {
    answer.close()
  }
}
