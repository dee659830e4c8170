import { createHmac, timingSafeEqual } from 'node:crypto'
import { Problem } from '../../protocol/problems.js'
import type { LoginLimiter } from '../auth/login-limiter.js'
import { networkOf } from '../auth/networks.js'
import type { Requester } from '../auth/password-check.js'
import type { Passwords } from '../auth/passwords.js'
import type { Clock } from '../clock.js'
import { type Account, accountName } from '../stores/accounts.js'

export interface LinkPasswordServices {
  clock: Pick<Clock, 'now'>
  passwords: Passwords
  /** That of the logins. */
  limiter: LoginLimiter
  secret: Uint8Array
}

/** A link that may have a password. */
export interface GuardedLink {
  /** That of its jobs, such as `share:ID`. */
  account: string
  /** bcrypt; null if it needs none. */
  passwordHash: string | null
}

/** What a request has for a link with a password. */
export interface LinkCredentials {
  password?: string | undefined
  /** The value of a `LinkPass`. */
  pass?: string | undefined
}

/** What a browser shows instead of the password that it has sent once. */
export interface LinkPass {
  value: string
  /** How long it is valid. */
  seconds: number
}

/** The passwords of links: hashed and checked as those of accounts are, and as slow to guess. */
export class LinkPasswords {
  readonly #services: LinkPasswordServices
  /**
   * Right passwords, as digests with our key: a program sends its password with each of a thousand files, and bcrypt takes a
   * tenth of a second. The password of a link never changes.
   */
  readonly #verified = new Set<string>()

  constructor(services: LinkPasswordServices) {
    this.#services = services
  }

  hash(password: string, owner: Account, { address, signal }: Requester): Promise<string> {
    return this.#services.passwords.hash(password, { key: [networkOf(address), accountName(owner)], signal })
  }

  /**
   * Resolves if the link needs no password, or this one, or the pass is valid. Throws `password-required` without one,
   * `wrong-password`, and what `LoginLimiter.check` throws.
   */
  async check(link: GuardedLink, { password, pass }: LinkCredentials, requester: Requester): Promise<void> {
    const { account, passwordHash } = link
    if (passwordHash === null || (pass !== undefined && this.#isValid(link, pass))) return
    if (password === undefined) throw new Problem('password-required', 'This link needs a password.')
    const digest = this.#digest(`${passwordHash} ${password}`)
    if (this.#verified.has(digest)) return
    const { limiter, passwords } = this.#services
    const { signal } = requester
    const fits = await limiter.check({ ...requester, account }, async (key) => {
      const fits = await passwords.verify(password, passwordHash, { key, signal })
      return { wrong: !fits, result: fits }
    })
    if (!fits) throw new Problem('wrong-password', 'This is not the password of the link.')
    const [oldest] = this.#verified
    if (this.#verified.size >= maxVerified) this.#verified.delete(oldest!)
    this.#verified.add(digest)
  }

  /** For a browser whose password was right; null if the link has none. */
  passOf(link: GuardedLink): LinkPass | null {
    if (link.passwordHash === null) return null
    const expires = String(this.#services.clock.now() + passSeconds * 1000)
    return { value: `${expires}.${this.#sign(link, expires)}`, seconds: passSeconds }
  }

  #isValid(link: GuardedLink, pass: string): boolean {
    const [expires = '', signature = ''] = pass.split('.')
    const [given, wanted] = [Buffer.from(signature), Buffer.from(this.#sign(link, expires))]
    const isSigned = given.length === wanted.length && timingSafeEqual(given, wanted)
    return isSigned && Number(expires) > this.#services.clock.now()
  }

  #sign({ account, passwordHash }: GuardedLink, expires: string): string {
    return this.#digest(`filejobs link pass ${account} ${passwordHash} ${expires}`)
  }

  #digest(text: string): string {
    return createHmac('sha256', this.#services.secret).update(text).digest('base64url')
  }
}

const maxVerified = 10_000
const passSeconds = 4 * 3600
