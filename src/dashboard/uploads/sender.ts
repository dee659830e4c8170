import { Refusal, Unreachable } from '../api.js'
import { type PageAnswer, type PageMethod, type PageRequest, pageRequest } from './page-request.js'

/** What sends the requests of an upload, and repeats those that break. */
export interface Sender {
  signal: AbortSignal
  /** Called when the connection is lost and retried, and when it is restored. */
  onLost(isLost: boolean): void
  /**
   * How long a request may make no progress before its connection counts as dead, depending on the known state of the
   * server.
   */
  mostSilenceMs(): number
}

/** Sends one request. Also throws `Unreachable` if it makes no progress. */
export async function request(
  { signal, mostSilenceMs }: Sender,
  method: PageMethod,
  path: string,
  { headers, body }: Pick<PageRequest, 'headers' | 'body'> = {},
): Promise<PageAnswer> {
  const silence = new AbortController()
  let movedAt = performance.now()
  const onSent = () => {
    movedAt = performance.now()
  }
  const watch = setInterval(() => {
    if (performance.now() - movedAt > mostSilenceMs()) silence.abort(new Unreachable())
  }, 500)
  try {
    const either = AbortSignal.any([signal, silence.signal])
    return await pageRequest(method, path, {
      ...(headers && { headers }),
      ...(body !== undefined && { body }),
      signal: either,
      onSent,
    })
  } finally {
    clearInterval(watch)
  }
}

/**
 * Repeats an attempt that got no response, or a temporary failure. `check`, called before each repetition, throws if none
 * can help.
 */
export async function keepTrying<T>(sender: Sender, attempt: () => Promise<T>, check = async () => {}): Promise<T> {
  for (let pauseMs = leastPauseMs; ; pauseMs = longer(pauseMs)) {
    try {
      const result = await attempt()
      sender.onLost(false)
      return result
    } catch (error) {
      if (!mayTryAgain(error)) throw error
      await check()
      sender.onLost(!mustWait(error))
      await pause(pauseMs, sender.signal)
    }
  }
}

const passing = ['offset-mismatch', 'stalled', 'busy', 'too-many-requests', 'shutting-down', 'storage-unavailable']

export function mayTryAgain(error: unknown): boolean {
  if (error instanceof Unreachable) return true
  if (mustWait(error)) return true
  return error instanceof Refusal && passing.includes(error.code)
}

/** Behind a proxy the server ends each wait for a slot before the proxy times out. */
export function mustWait(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'job-running'
}

export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(end, milliseconds)
    function end() {
      clearTimeout(timer)
      removeEventListener('online', end)
      signal.removeEventListener('abort', end)
      if (signal.aborted) reject(signal.reason)
      else resolve()
    }
    addEventListener('online', end)
    signal.addEventListener('abort', end)
  })
}

/** The pause before the next repetition. */
export function longer(pauseMs: number): number {
  return Math.min(pauseMs * 2, mostPauseMs)
}

export const leastPauseMs = 300
const mostPauseMs = 5000
