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

/** A password check: the account and the client. */
export interface Attempt {
  address: string
  /** `role:username`, whether or not the account exists. */
  account: string
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
  async check<T>(attempt: Attempt, run: (key: SemaphoreKey) => Promise<Checked<T>>): Promise<T> {
    const { address, account, client, signal } = attempt
    const network = networkOf(address)
    const clientKey = `${network} ${account} ${client.slice(0, 200)}`
    const isFamiliar = this.#familiar.level(clientKey) > 0
    const leaveAccount = await this.#ofAccount.enter(isFamiliar ? clientKey : `${network} ${account}`, signal)
    let leaveNetwork: Leave = () => {}
    try {
      if (!isFamiliar) leaveNetwork = await this.#ofNetwork.enter(network, signal)
      const { wrong, result } = await run([isFamiliar ? `${network} familiar` : network, account])
      if (!wrong) this.#familiar.add(clientKey)
      leaveAccount(wrong ? 1 : weightOfRight)
      leaveNetwork(wrong ? 1 : 0)
      return result
    } finally {
      // A check that could not run is not counted.
      leaveAccount(0)
      leaveNetwork(0)
    }
  }
}

const weightOfRight = 1 / 6
const familiarMs = 30 * 86_400_000
