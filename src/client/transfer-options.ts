import { rateLimitHeader } from '../protocol/routes.js'
import { hasCode } from './errors.js'
import { waitMs } from './time-limit.js'

export interface TransferProgress {
  /** Bytes that the server has stored, or that have arrived here. */
  readonly bytes: number
  /** Null if unknown. */
  readonly totalBytes: number | null
  readonly jobId: string
}

export interface TransferOptions {
  /** Stops the job on the server; the transfer then fails with `aborted` and the receipt. */
  signal?: AbortSignal | undefined
  onProgress?: ((progress: TransferProgress) => void) | undefined
  /** Bytes per second; default: no limit. */
  rateLimit?: number | undefined
  /** How long to wait for other jobs of that kind of the account, in seconds; default 0: fail with `job-running`. */
  waitSeconds?: number | undefined
  /** Attempts after a broken connection without progress; default 5. */
  retries?: number | undefined
}

/** `Prefer: wait=N`: a day at most. */
export const longestWaitSeconds = 86_400

/** The header that requests the wait (RFC 7240). */
export function waitHeaders(seconds: number | null): Record<string, string> {
  return seconds === null ? {} : { prefer: `wait=${seconds}` }
}

export function rateHeaders({ rateLimit }: TransferOptions): Record<string, string> {
  return rateLimit === undefined ? {} : { [rateLimitHeader]: String(rateLimit) }
}

/**
 * Runs an attempt that the server rejects while another job of the account has the slot: repeatedly, because behind a proxy
 * each wait is short. The attempt gets the seconds to wait; null for none.
 */
export async function awaitSlot<T>(
  waitSeconds: number,
  signal: AbortSignal,
  attempt: (seconds: number | null) => Promise<T>,
): Promise<T> {
  const until = performance.now() + waitSeconds * 1000
  for (;;) {
    const startedAt = performance.now()
    const left = Math.min(Math.ceil((until - startedAt) / 1000), longestWaitSeconds)
    try {
      return await attempt(left > 0 ? left : null)
    } catch (error) {
      if (!hasCode(error, 'job-running') || performance.now() >= until) throw error
      // The queue is full.
      if (performance.now() - startedAt < leastMs) await waitMs(leastMs, signal)
    }
  }
}

const leastMs = 1_000
