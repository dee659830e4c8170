import type { Clock } from '../clock.js'
import { LeakyCounter } from '../concurrency/leaky-counter.js'
import type { SemaphoreKey } from '../concurrency/semaphore.js'
import type { LimitCount } from '../stores/bus.js'
import { networkOf } from './networks.js'
import { type Leave, SlowDown } from './slow-down.js'

/** The result of a password check. */
export interface Checked<T> {
  wrong: boolean
  result: T
}

export interface LoginLimiterOptions {
  clock: Clock
  /**
   * Wrong passwords from one network for one account before the first delay; default 10. Six correct ones count as one.
   */
  perAccount?: number
  /** Wrong passwords from one network before the first delay; default 100. */
  perNetwork?: number
  /** How many checks of one account, and of one network, may wait; default 50. */
  maxWaiting?: number
  /** How many networks and accounts are tracked; default 10,000. */
  maxKeys?: number
  /** How many servers accept logins; default 1. */
  servers?: () => number
  /** Called with what is counted here, for the others. */
  onCount?: (count: LimitCount) => void
}

/** The result of a password check for several accounts. */
export interface CheckedAll<T> {
  /** The accounts that have the password. */
  right: readonly string[]
  result: T
}

/** A password check: the account and the client. */
export interface Attempt extends AttemptBy {
  /** `role:username`, whether or not the account exists. */
  account: string
}

/** A check of one password for several accounts. */
export interface AttemptAtAll extends AttemptBy {
  accounts: readonly string[]
}

interface AttemptBy {
  address: string
  /** The client program, by its User-Agent. */
  client: string
  /** Aborted when the client disconnects. */
  signal?: AbortSignal | undefined
}

/**
 * Slows down password guessing without locking an account: a correct password is accepted after a few seconds at most.
 * Guesses do not delay a familiar client, one that has logged in to the account from the same network before: it has
 * its own counters and queue.
 */
export class LoginLimiter {
  readonly #ofAccount: SlowDown
  readonly #ofNetwork: SlowDown
  readonly #familiar: LeakyCounter

  constructor({ perAccount = 10, perNetwork = 100, onCount = () => {}, ...options }: LoginLimiterOptions) {
    const telling = (limit: LimitCount['limit']) => (key: string, amount: number) => onCount({ limit, key, amount })
    const [ofAccount, ofNetwork, familiar] = [telling('account'), telling('network'), telling('familiar')]
    this.#ofAccount = new SlowDown({ ...options, onAdd: ofAccount, free: perAccount, leakMs: 6_000, slowestMs: 5_000 })
    this.#ofNetwork = new SlowDown({ ...options, onAdd: ofNetwork, free: perNetwork, leakMs: 600, slowestMs: 1_000 })
    const { clock, maxKeys } = options
    const counting = { clock, onAdd: familiar, ...(maxKeys ? { maxKeys } : {}) }
    this.#familiar = new LeakyCounter({ ...counting, leakMs: familiarMs, highest: 1 })
  }

  /** Counts what another server has counted. */
  learn({ limit, key, amount }: LimitCount): void {
    if (limit === 'account') this.#ofAccount.learn(key, amount)
    if (limit === 'network') this.#ofNetwork.learn(key, amount)
    if (limit === 'familiar') this.#familiar.learn(key, amount)
  }

  /**
   * Runs a check and counts it. Checks are scheduled fairly by `key`. Throws `too-many-attempts` with `retryAfter` in
   * seconds, and the signal's reason.
   */
  async check<T>({ account, ...attempt }: Attempt, run: (key: SemaphoreKey) => Promise<Checked<T>>): Promise<T> {
    return this.checkAll({ ...attempt, accounts: [account] }, async (key) => {
      const { wrong, result } = await run(key)
      return { right: wrong ? [] : [account], result }
    })
  }

  /**
   * Like `check`, of one password for several accounts, always in the same order: it is counted for each of them as if it were tried
   * alone, so that trying them together is no way around the limit of one.
   */
  async checkAll<T>(
    { address, accounts, client, signal }: AttemptAtAll,
    run: (key: SemaphoreKey) => Promise<CheckedAll<T>>,
  ): Promise<T> {
    const network = networkOf(address)
    const clientKey = (account: string) => `${network} ${account} ${client.slice(0, 200)}`
    const isFamiliar = (account: string) => this.#familiar.level(clientKey(account)) > 0
    const isKnown = accounts.some(isFamiliar)
    const left = new Map<string, Leave>()
    let leaveNetwork: Leave = () => {}
    try {
      for (const account of accounts) {
        const key = isFamiliar(account) ? clientKey(account) : `${network} ${account}`
        left.set(account, await this.#ofAccount.enter(key, signal))
      }
      if (!isKnown) leaveNetwork = await this.#ofNetwork.enter(network, signal)
      const { right, result } = await run([isKnown ? `${network} familiar` : network, accounts.join(' ')])
      for (const account of right) this.#familiar.add(clientKey(account))
      for (const [account, leave] of left) leave(right.includes(account) ? weightOfRight : 1)
      leaveNetwork(right.length > 0 ? 0 : 1)
      return result
    } finally {
      // A check that could not run is not counted.
      for (const leave of left.values()) leave(0)
      leaveNetwork(0)
    }
  }
}

const weightOfRight = 1 / 6
const familiarMs = 30 * 86_400_000
