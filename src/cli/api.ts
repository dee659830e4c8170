import type { Got } from 'got'
import { isLoopbackHost } from '../protocol/loopback.js'
import { answeredProblem, networkFailure } from './answers.js'
import { Failure } from './exit-codes.js'

export interface ApiRequest {
  json?: unknown
  query?: Record<string, string | number | undefined> | URLSearchParams
  headers?: Record<string, string>
  /** Milliseconds for the whole exchange; default 60 s. */
  timeoutMs?: number
  signal?: AbortSignal
}

/** Sends JSON requests to one server. */
export interface Api {
  readonly server: string
  /**
   * Returns the parsed body, or undefined if there is none. Throws a Problem for an error response, and a Failure that
   * names the server if there is no response.
   */
  send<T = unknown>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, request?: ApiRequest): Promise<T>
}

export interface ApiOptions {
  server: string
  token?: string | undefined
  userAgent: string
}

const answerTimeoutMs = 60_000

export function createApi({ server, token, userAgent }: ApiOptions): Api {
  return {
    server,
    async send<T>(
      method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      path: string,
      request: ApiRequest = {},
    ): Promise<T> {
      const got = await loadGot()
      const response = await got(server + path, {
        method,
        headers: {
          'user-agent': userAgent,
          accept: 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...request.headers,
        },
        ...(request.query === undefined ? {} : { searchParams: request.query }),
        timeout: { request: request.timeoutMs ?? answerTimeoutMs },
        // On the same machine, compressing a long list takes longer than sending it.
        decompress: !isLoopbackHost(new URL(server).hostname),
        ...(request.json === undefined ? {} : { json: request.json }),
        ...(request.signal ? { signal: request.signal } : {}),
      }).catch((error: unknown) => {
        if (request.signal?.aborted) throw request.signal.reason
        throw networkFailure(server, error)
      })
      if (response.statusCode >= 200 && response.statusCode < 300) return parseAnswer<T>(server, response.body)
      throw answeredProblem(server, response.statusCode, response.body, response.headers)
    },
  }
}

/** No retries: a request that changes something must not run twice. No redirects: the token is for this server only. */
async function loadGot(): Promise<Got> {
  const { got } = await import('got')
  return got.extend({ retry: { limit: 0 }, followRedirect: false, throwHttpErrors: false })
}

function parseAnswer<T>(server: string, body: string): T {
  if (body === '') return undefined as T
  try {
    return JSON.parse(body) as T
  } catch (error) {
    throw new Failure('unexpected', `${server} did not answer like a filejobs server: is the URL right?`, {
      cause: error,
    })
  }
}
