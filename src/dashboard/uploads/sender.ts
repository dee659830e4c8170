import { Refusal, Unreachable } from '../api.js'
import { type PageAnswer, type PageMethod, type PageRequest, pageRequest } from './page-request.js'

/** How the requests of an upload are sent and retried. */
export interface Sender {
  signal: AbortSignal
  /** Called when the connection is lost and retried, and when it is restored. */
  onLost(isLost: boolean): void
  /** How long a request may make no progress before its connection counts as dead. Depends on the state of the server. */
  maxSilenceMs(): number
}

/** Sends one request. Also throws `Unreachable` if it makes no progress. */
export async function request(
  { signal, maxSilenceMs }: Sender,
  method: PageMethod,
  path: string,
  { headers, body, onSent }: Omit<PageRequest, 'signal'> = {},
): Promise<PageAnswer> {
  const silence = new AbortController()
  let movedAt = performance.now()
  const onMoved = (bytes: number) => {
    movedAt = performance.now()
    onSent?.(bytes)
  }
  const watch = setInterval(() => {
    if (performance.now() - movedAt > maxSilenceMs()) silence.abort(new Unreachable())
  }, 500)
  try {
    const either = AbortSignal.any([signal, silence.signal])
    return await pageRequest(method, path, {
      ...(headers && { headers }),
      ...(body !== undefined && { body }),
      signal: either,
      onSent: onMoved,
    })
  } finally {
    clearInterval(watch)
  }
}

/** Retries an attempt that got no response or failed temporarily. `check` runs before each retry, and throws if none helps. */
export async function keepTrying<T>(sender: Sender, attempt: () => Promise<T>, check = async () => {}): Promise<T> {
  for (let pauseMs = minPauseMs; ; pauseMs = longer(pauseMs)) {
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

const temporary = ['offset-mismatch', 'stalled', 'busy', 'too-many-requests', 'shutting-down', 'storage-unavailable']

export function mayTryAgain(error: unknown): boolean {
  if (error instanceof Unreachable) return true
  if (mustWait(error)) return true
  return error instanceof Refusal && temporary.includes(error.code)
}

/** The slot is taken. Behind a proxy, the server ends each wait for it before the proxy times out. */
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

/** The pause before the next retry. */
export function longer(pauseMs: number): number {
  return Math.min(pauseMs * 2, maxPauseMs)
}

export const minPauseMs = 300
const maxPauseMs = 5000
