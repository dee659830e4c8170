import type { Got } from 'got'
import { answeredProblem, unreachable } from './answers.js'
import { Failure } from './exit-codes.js'

export interface ApiRequest {
  json?: unknown
  query?: Record<string, string | number | undefined>
  headers?: Record<string, string>
  /** Milliseconds for the whole exchange; default 60 s. */
  timeoutMs?: number
  signal?: AbortSignal
}

/** Talks JSON with one server. */
export interface Api {
  readonly server: string
  /**
   * Answers with the parsed body, or undefined where there is none. Throws a Problem for an error answer, and a Failure
   * that names the server when none came.
   */
  send<T = unknown>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, request?: ApiRequest): Promise<T>
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
    async send<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, request: ApiRequest = {}): Promise<T> {
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
        ...(request.json === undefined ? {} : { json: request.json }),
        ...(request.signal ? { signal: request.signal } : {}),
      }).catch((error: unknown) => {
        if (request.signal?.aborted) throw request.signal.reason
        throw unreachable(server, error)
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
