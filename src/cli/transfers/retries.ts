import { setTimeout as sleep } from 'node:timers/promises'
import { Problem, type ProblemCode } from '../../protocol/problems.js'
import { isNetworkError } from '../answers.js'
import { errorCode, exitCodes, Failure } from '../exit-codes.js'
import type { TransferTools } from './tools.js'

const firstPauseMs = 250
const longestPauseMs = 5_000

/** Counts the attempts in a row that brought a transfer no byte further. */
export class Retries {
  readonly #most: number
  #attempts = 0
  #furthest = 0

  constructor(most: number) {
    this.#most = most
  }

  /** What has arrived for good: progress makes up for all failures before. */
  reached(bytes: number): void {
    if (bytes <= this.#furthest) return
    this.#furthest = bytes
    this.#attempts = 0
  }

  /**
   * Repeats an attempt, with growing pauses, until it succeeds. Throws its error when it is not one that time heals or when
   * there were enough attempts, and the signal's reason when it aborts.
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

/** What an attempt failed by: a connection that never stood cannot break. */
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
}

/** Whether the same may succeed later. Never true for a stopped transfer. */
export function isWorthRetrying(error: unknown): boolean {
  if (error instanceof Failure) return error.exit === exitCodes.tryAgain
  if (isEndedByPause(error)) return false
  return isNetworkError(error) || (error instanceof Problem && passing.includes(error.code))
}

/** Whether a job was paused for longer than the server allows. Who paused it did not mean it to start anew by itself. */
export function isEndedByPause(error: unknown): boolean {
  return error instanceof Problem && error.code === 'stalled' && 'maxPauseMs' in error.details
}

const passing: readonly string[] = ['stalled', 'busy', 'shutting-down', 'client-left', 'offset-mismatch']
