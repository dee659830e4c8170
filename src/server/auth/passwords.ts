import { randomBytes } from 'node:crypto'
import bcrypt from 'bcryptjs'
import { Tinypool } from 'tinypool'
import { passwordBytes } from '../../protocol/accounts.js'
import { Problem } from '../../protocol/problems.js'
import type { PasswordTask } from './password-worker.js'

/** Hashes and checks passwords with bcrypt, one at a time, off the main thread. More than 50 waiting: `busy`. */
export interface Passwords {
  /** Throws `invalid-request` for a password over 72 bytes, which bcrypt would cut in silence. */
  hash(password: string): Promise<string>
  /** A password over 72 bytes fits nothing, and costs as much time. */
  verify(password: string, hash: string): Promise<boolean>
  /** Costs as much time as checking a known account's password, so that nobody learns by it who exists. */
  verifyUnknown(password: string): Promise<false>
  /** Ends the worker thread; checks under way and waiting fail with `shutting-down`. */
  close(): Promise<void>
}

export interface PasswordsOptions {
  /** bcrypt's cost: each step doubles the time. */
  cost: number
  /** How many may wait for their turn; default 50. */
  maxWaiting?: number
}

export function openPasswords({ cost, maxWaiting = 50 }: PasswordsOptions): Passwords {
  const pool = new Tinypool({
    filename: new URL('./password-worker.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    // The queue is counted here, where a full one has a name.
    maxQueue: maxWaiting + 1,
  })
  let pending = 0
  let closed = false

  async function run(task: PasswordTask): Promise<unknown> {
    if (pending > maxWaiting) {
      throw new Problem('busy', 'Too many passwords wait to be checked: try again in a few seconds.', { retryAfter: 5 })
    }
    pending += 1
    try {
      return await pool.run(task)
    } catch (error) {
      if (!closed) throw error
      throw new Problem(
        'shutting-down',
        'The server is shutting down: try again when it is back.',
        {},
        { cause: error },
      )
    } finally {
      pending -= 1
    }
  }

  async function verify(password: string, hash: string): Promise<boolean> {
    const fits = (await run({ do: 'compare', password, hash })) === true
    return fits && !bcrypt.truncates(password)
  }

  const unknownHash = hashOfNothing(cost)
  return {
    verify,
    async hash(password) {
      if (bcrypt.truncates(password)) {
        const reason = `A password has ${passwordBytes.max} bytes at most.`
        throw new Problem('invalid-request', reason, { field: 'password' })
      }
      return String(await run({ do: 'hash', password, cost }))
    },
    async verifyUnknown(password) {
      await verify(password, unknownHash)
      return false
    },
    close() {
      closed = true
      return pool.destroy()
    },
  }
}

/** A hash that no password is known for: random bytes in bcrypt's own writing, of the given cost. */
function hashOfNothing(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${bcrypt.encodeBase64(randomBytes(16), 16)}${bcrypt.encodeBase64(randomBytes(23), 23)}`
}
