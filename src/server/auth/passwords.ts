import { availableParallelism } from 'node:os'
import bcrypt from 'bcryptjs'
import { passwordBytes } from '../../protocol/password-bytes.js'
import { Problem } from '../../protocol/problems.js'
import { QueueFullError, Semaphore, type SemaphoreKey } from '../concurrency/semaphore.js'
import { PasswordThreads } from './password-threads.js'
import type { PasswordTask } from './password-worker.js'

/** The client for which a password is hashed or checked. */
export interface PasswordRequest {
  /** The key for fair scheduling; by default one key for the server's own hashes. */
  key?: SemaphoreKey
  /** Aborted when the client disconnects. */
  signal?: AbortSignal | undefined
}

/**
 * Hashes and checks passwords with bcrypt, off the main thread. Throws `busy` if the queue is full or no worker can
 * start.
 */
export interface Passwords {
  /** Throws `invalid-request` for a password over 72 bytes, which bcrypt would cut silently. */
  hash(password: string, request?: PasswordRequest): Promise<string>
  /**
   * Whether the password matches the hash; false, in the same time, for null (an account that does not exist). Takes
   * the time of `cost` if the hash has a lower one. A password over 72 bytes never matches, and takes as long.
   */
  verify(password: string, hash: string | null, request?: PasswordRequest & { cost?: number }): Promise<boolean>
  /** Whether the hash has another cost than new ones. */
  isOutdated(hash: string): boolean
  /** The cost of every check, so that its time does not reveal which account exists: the highest of all hashes. */
  highestCost(hashes: Iterable<string>): number
  /** Ends the worker threads; running and waiting checks fail with `shutting-down`. */
  close(): Promise<void>
}

export interface PasswordsOptions {
  /** bcrypt's cost: each step doubles the time. */
  cost: number
  /** Default: the number of processors minus one, at most 4, so that transfers keep one. */
  threads?: number
  /** The length of the queue for a worker; default 100. */
  maxWaiting?: number
  /** How many of one network (the first key of a path) may wait; default 50. */
  maxWaitingPerNetwork?: number
  /** How many of one account (a whole path) may wait; default 20. */
  maxWaitingPerAccount?: number
}

export function openPasswords({
  cost,
  threads = spareThreads(),
  maxWaiting = 100,
  maxWaitingPerNetwork = 50,
  maxWaitingPerAccount = 20,
}: PasswordsOptions): Passwords {
  const workers = new Semaphore({ slots: threads, maxWaiting, maxWaitingPerKey: maxWaitingPerNetwork })
  const pool = new PasswordThreads(threads)
  const run = async (task: PasswordTask, { key = 'server', signal }: PasswordRequest) => {
    if (workers.waiting(key) >= maxWaitingPerAccount) throw busy()
    return workers
      .run(key, signal, () => pool.run(task))
      .catch((error) => {
        throw error instanceof QueueFullError ? busy(error) : error
      })
  }
  return {
    async hash(password, request = {}) {
      if (bcrypt.truncates(password)) {
        const reason = `A password has ${passwordBytes.max} bytes at most.`
        throw new Problem('invalid-request', reason, { field: 'password' })
      }
      return String(await run({ do: 'hash', password, cost }, request))
    },
    async verify(password, hash, { cost: leastCost = cost, ...request } = {}) {
      const fits = await run({ do: 'compare', password, hash, cost: leastCost }, request)
      return fits === true && !bcrypt.truncates(password)
    },
    isOutdated: (hash) => bcrypt.getRounds(hash) !== cost,
    highestCost(hashes) {
      let highest = cost
      for (const hash of hashes) highest = Math.max(highest, bcrypt.getRounds(hash))
      return highest
    },
    close: () => pool.close(),
  }
}

function spareThreads(): number {
  return Math.max(1, Math.min(4, availableParallelism() - 1))
}

function busy(cause?: unknown): Problem {
  const message = 'Too many passwords wait to be checked: try again in a few seconds.'
  return new Problem('busy', message, { retryAfter: 5 }, { cause })
}
