import { errorOfAnswer } from './answers.js'
import { FilejobsError } from './errors.js'
import { limitTime } from './time-limit.js'
import { readChunks, type Transport } from './transport.js'

export type RequestMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface ApiRequest {
  json?: unknown
  /** In place of `json`. */
  body?: ArrayBuffer
  query?: Record<string, string | number | undefined> | URLSearchParams
  headers?: Record<string, string>
  /** Milliseconds for the whole exchange, or, of `open`, for each wait for the server; default 60 s. */
  timeoutMs?: number
  signal?: AbortSignal | undefined
}

/** Sends JSON requests to one server. */
export interface Api {
  readonly server: string
  /**
   * Returns the parsed body, or undefined if there is none. Throws a FilejobsError for an error response, and if there is no
   * response; the reason of the signal when it aborts.
   */
  send<T = unknown>(method: RequestMethod, path: string, request?: ApiRequest): Promise<T>
}

/** A response below 300. To be closed by who does not read its body to the end. */
export interface OpenAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  /** The body as it arrives, once. Throws if it is incomplete. */
  chunks(): AsyncGenerator<Uint8Array>
  close(): void
}

/** Also reads bodies as they arrive. */
export interface StreamingApi extends Api {
  /** The headers of an answer whose body does not matter. Throws like `send`. */
  ask(method: RequestMethod, path: string, request?: ApiRequest): Promise<OpenAnswer['headers']>
  /** Throws like `send`. */
  open(method: RequestMethod, path: string, request?: ApiRequest): Promise<OpenAnswer>
}

export interface ApiOptions {
  /** The URL of the server, without a slash at its end. */
  server: string
  transport: Transport
  /** Asked for each request; undefined sends none. */
  token?: () => Promise<string | undefined>
  /** Of every request. */
  headers?: Record<string, string>
}

const answerTimeoutMs = 60_000

export function createApi({ server, transport, token, headers: own = {} }: ApiOptions): StreamingApi {
  async function begin(method: RequestMethod, path: string, request: ApiRequest) {
    const authorization = await token?.()
    const limit = limitTime(request.timeoutMs ?? answerTimeoutMs, request.signal)
    /** What a failed request is reported as. */
    const explain = (error: unknown) => {
      if (request.signal?.aborted) return request.signal.reason
      if (error instanceof FilejobsError) return error
      return unreachable(server, limit.signal.aborted ? limit.signal.reason : error)
    }
    try {
      const response = await transport(server + path + queryOf(request.query), {
        method,
        headers: {
          ...own,
          accept: 'application/json',
          ...(authorization === undefined ? {} : { authorization: `Bearer ${authorization}` }),
          ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        body: request.json === undefined ? request.body : JSON.stringify(request.json),
        signal: limit.signal,
        redirect: 'manual',
        credentials: 'omit',
      })
      if (response.status >= 200 && response.status < 300) return { response, limit, explain }
      throw errorOfAnswer(server, response.status, await response.text(), response.headers)
    } catch (error) {
      limit.end()
      throw explain(error)
    }
  }

  async function readWhole(method: RequestMethod, path: string, request: ApiRequest = {}) {
    const { response, limit, explain } = await begin(method, path, request)
    try {
      return { headers: response.headers, body: await response.text() }
    } catch (error) {
      throw explain(error)
    } finally {
      limit.end()
    }
  }

  return {
    server,
    send: async <T>(...request: Parameters<Api['send']>) => parseAnswer<T>(server, (await readWhole(...request)).body),
    ask: async (...request) => (await readWhole(...request)).headers,
    async open(method, path, request = {}) {
      const { response, limit, explain } = await begin(method, path, request)
      return {
        status: response.status,
        headers: response.headers,
        async *chunks() {
          try {
            for await (const chunk of readChunks(response.body)) {
              // The time of the reader does not count.
              limit.stop()
              yield chunk
              limit.restart()
            }
          } catch (error) {
            throw explain(error)
          } finally {
            limit.end()
          }
        },
        close: () => limit.end('abort'),
      }
    },
  }
}

/** Without a response. The cause has the code of the system, where the transport tells it. */
function unreachable(server: string, cause: unknown): FilejobsError {
  // The error of `fetch` is "fetch failed", and the reason is its cause.
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const words = reason instanceof Error ? reason.message || reason.name : String(reason)
  return new FilejobsError('unreachable', `${server} does not answer: ${words}`, { cause })
}

function parseAnswer<T>(server: string, body: string): T {
  if (body === '') return undefined as T
  try {
    return JSON.parse(body) as T
  } catch (cause) {
    const words = `${server} did not answer like a filejobs server: is the URL right?`
    throw new FilejobsError('not-filejobs', words, { cause })
  }
}

function queryOf(query: ApiRequest['query'] = {}): string {
  if (query instanceof URLSearchParams) return query.size === 0 ? '' : `?${query}`
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value))
  return queryOf(parameters)
}
