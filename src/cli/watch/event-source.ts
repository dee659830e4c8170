import { createApi } from '../../client/api.js'
import { readEvents } from '../../client/job-events.js'
import type { Transport } from '../../client/transport.js'
import type { JobEvent } from '../../protocol/jobs.js'
import { wordError } from '../answers.js'
import type { HttpClient } from '../http-client.js'
import { readAnswer, untilResponse } from '../transfers/exchange.js'

export interface WatchSource {
  readonly http: HttpClient
  /** Includes all accounts (admins only). */
  readonly all: boolean
  /** Ends the events without an error. */
  readonly signal: AbortSignal
  /** The connection broke and is being reconnected. */
  onBroken(): void
}

/** The server's live events over the connections of `http`. Throws as `readEvents` does, in the words of the command line. */
export async function* watchEvents({ http, ...source }: WatchSource): AsyncGenerator<JobEvent> {
  const { server } = http
  try {
    yield* readEvents({ api: createApi({ server, transport: httpTransport(http) }), ...source })
  } catch (error) {
    throw wordError(server, error)
  }
}

/** Hands on the bodies of answers as they arrive. */
function httpTransport(http: HttpClient): Transport {
  return async (url, { method, headers, signal }) => {
    const request = http.open(method as 'GET', url.slice(http.server.length), headers)
    // For the body: until the head has arrived, `untilResponse` does the same.
    signal.addEventListener('abort', () => request.destroy())
    request.end()
    const response = await untilResponse(request, signal)
    return {
      status: response.statusCode ?? 0,
      headers: { get: (name) => response.headers[name]?.toString() ?? null },
      body: response as AsyncIterable<Uint8Array>,
      text: async () => (await readAnswer(response)).body,
    }
  }
}
