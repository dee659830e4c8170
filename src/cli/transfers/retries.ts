import { setTimeout as sleep } from 'node:timers/promises'
import { Problem, type ProblemCode } from '../../protocol/problems.js'
import { isNetworkError } from '../answers.js'
import { errorCode, exitCodes, Failure } from '../exit-codes.js'
import type { TransferTools } from './tools.js'

const firstPauseMs = 250
const longestPauseMs = 5_000

/** Counts consecutive attempts without progress. */
export class Retries {
  readonly #most: number
  #attempts = 0
  #furthest = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Bytes that are stored for good: progress resets the count. */
  reached(bytes: number): void {
    if (bytes <= this.#furthest) return
    this.#furthest = bytes
    this.#attempts = 0
  }

  /**
   * Repeats an attempt, with growing delays, until it succeeds. Throws its error if a retry is pointless or the retries
   * are used up, and the signal's reason when it aborts.
   */
  async run<T>(
    name: string,
    { progress, note }: TransferTools,
    signal: AbortSignal,
    attempt: () => Promise<T>,
  ): Promise<T> {
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        signal.throwIfAborted()
        if (!isWorthRetrying(error) || this.#attempts >= this.#most) throw error
        this.#attempts += 1
        if (this.#attempts === 1) {
          progress.end()
          note(`${name}: ${wordCause(error)}; trying again.`)
        }
        progress.say(`${name}: trying again (${this.#attempts} of ${this.#most})`)
        const pauseMs = Math.min(firstPauseMs * 2 ** (this.#attempts - 1), longestPauseMs)
        await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted())
      }
    }
  }
}

/** The error of an attempt: a connection that was never established cannot break. */
function wordCause(error: unknown): string {
  if (error instanceof Problem) return causes[error.code] ?? 'the connection broke'
  if (error instanceof Failure) return error.message.replace(/\.$/, '')
  return unconnected.includes(errorCode(error) ?? '') ? 'the server cannot be reached' : 'the connection broke'
}

const unconnected: readonly string[] = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPROTO',
]

const causes: Partial<Record<ProblemCode, string>> = {
  stalled: 'no byte came for too long',
  busy: 'the server is busy',
  'shutting-down': 'the server is shutting down',
  'storage-unavailable': 'the data folder of the server is not available',
}

/** Whether a retry may succeed. Never true for a stopped transfer. */
export function isWorthRetrying(error: unknown): boolean {
  if (error instanceof Failure) return error.exit === exitCodes.tryAgain
  if (isEndedByPause(error)) return false
  return isNetworkError(error) || (error instanceof Problem && passing.includes(error.code))
}

/** Whether a job was paused for longer than the server allows. Such a job is not restarted automatically. */
export function isEndedByPause(error: unknown): boolean {
  return error instanceof Problem && error.code === 'stalled' && 'maxPauseMs' in error.details
}

const passing: readonly string[] = [
  'stalled',
  'busy',
  'shutting-down',
  'storage-unavailable',
  'client-left',
  'offset-mismatch',
]
