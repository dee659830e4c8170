import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { JobEvent } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError, networkFailure } from '../answers.js'
import type { HttpClient } from '../http-client.js'
import { readAnswer, untilResponse } from '../transfers/exchange.js'

export interface EventSource {
  readonly http: HttpClient
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
export async function* readEvents({ http, all, signal, onBroken }: EventSource): AsyncGenerator<JobEvent> {
  const path = all ? `${routes.jobEvents}?account=all` : routes.jobEvents
  let lastId: string | undefined
  let failures = 0
  for (;;) {
    try {
      for await (const event of readConnection(http, path, lastId, signal)) {
        failures = 0
        lastId = event.id
        yield event
      }
    } catch (error) {
      if (signal.aborted) return
      if (lastId === undefined || !isPassing(error)) throw networkFailure(http.server, error)
    }
    if (signal.aborted) return
    onBroken()
    const pauseMs = Math.min(firstPauseMs * 2 ** failures, longestPauseMs)
    failures += 1
    await delay(pauseMs, undefined, { signal }).catch(() => {})
  }
}

const firstPauseMs = 250
const longestPauseMs = 5000
/** The server sends a heartbeat every 15 s. */
const longestSilenceMs = 45_000

async function* readConnection(
  http: HttpClient,
  path: string,
  lastId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<JobEvent> {
  const resume = lastId === undefined ? {} : { 'last-event-id': lastId }
  const request = http.open('GET', path, { accept: 'application/x-ndjson', ...resume })
  const silence = setTimeout(() => {
    request.destroy(Object.assign(new Error('nothing came for too long'), { code: 'ETIMEDOUT' }))
  }, longestSilenceMs)
  try {
    request.end()
    const response = await untilResponse(request, signal)
    if (response.statusCode !== 200) {
      const { status, body, headers } = await readAnswer(response)
      throw answeredProblem(http.server, status, body, headers)
    }
    for await (const line of readLines(response)) {
      silence.refresh()
      yield JSON.parse(line) as JobEvent
    }
  } finally {
    clearTimeout(silence)
    request.destroy()
  }
}

async function* readLines(response: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  for await (const text of response.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

/** Whether the error may be temporary: the network, a restart of the server, a proxy without a backend. */
function isPassing(error: unknown): boolean {
  return isNetworkError(error) || (error instanceof Problem && ['shutting-down', 'busy'].includes(error.code))
}
