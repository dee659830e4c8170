import type { ProblemBody } from '../protocol/problems.js'
import { csrfHeader } from '../protocol/routes.js'
import { say } from './words/say.js'

/** An error response of the server. */
export class Refusal extends Error {
  readonly code: string
  readonly status: number
  readonly details: Record<string, unknown>

  constructor(status: number, body: Partial<ProblemBody>) {
    super(body.message ?? say('states.answered', { status }))
    this.name = 'Refusal'
    this.code = body.code ?? 'internal'
    this.status = status
    this.details = body
  }
}

/** The server, or the network, did not respond. */
export class Unreachable extends Error {
  override name = 'Unreachable'

  constructor(cause?: unknown) {
    super(say('states.unreachable'), { cause })
  }
}

export interface Sending {
  json?: unknown
  query?: Record<string, string | number | undefined>
  headers?: Record<string, string>
  signal?: AbortSignal
  /** Completes even when the page is closed. */
  keepalive?: boolean
}

export type ApiMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Called for every response 401. */
let onNotSignedIn = () => {}

export function whenNotSignedIn(listener: () => void): void {
  onNotSignedIn = listener
}

/** Sends a request with the session cookie. Throws `Refusal` and `Unreachable`. */
export async function callApi<T>(method: ApiMethod, path: string, sending: Sending = {}): Promise<T> {
  const { json, query, headers, ...rest } = sending
  const init: RequestInit = {
    method,
    headers: {
      Accept: 'application/json',
      ...(method === 'GET' ? {} : { [csrfHeader]: '1' }),
      ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...rest,
  }
  const answer = await fetch(path + queryOf(query), init).catch((error: unknown) => {
    if (sending.signal?.aborted) throw sending.signal.reason
    throw new Unreachable(error)
  })
  const text = await answer.text().catch((error: unknown) => {
    throw new Unreachable(error)
  })
  if (answer.ok) return (text === '' ? undefined : JSON.parse(text)) as T
  throw refusalOf(answer.status, text, path)
}

/** Converts an error response, and shows the sign-in page if the session has ended. */
export function refusalOf(status: number, text: string, path: string): Refusal {
  const refusal = new Refusal(status, parseProblem(text))
  if (refusal.code === 'not-logged-in' && !path.startsWith('/auth/cookie')) onNotSignedIn()
  return refusal
}

/** The message of an error, for people. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function parseProblem(text: string): Partial<ProblemBody> {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : {}
  } catch {
    return {}
  }
}

function queryOf(query: Sending['query']): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== '')
  if (given.length === 0) return ''
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`
}
