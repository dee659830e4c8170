import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { maxShareSeconds } from '../../protocol/link-terms.js'
import { Problem } from '../../protocol/problems.js'

/**
 * The secret parts of the links of one kind: an id with our signature, so that the store holds no secret and the owner can be
 * shown the link again.
 */
export class LinkTokens {
  readonly #secret: Uint8Array
  readonly #kind: string

  /** `secret`: 32 bytes or more; if it is lost, all links become invalid. */
  constructor(secret: Uint8Array, kind: 'share' | 'request') {
    this.#secret = secret
    this.#kind = kind
  }

  of(id: string): string {
    return id + this.#sign(id)
  }

  /** The id of a token; undefined if the signature is not ours. */
  idOf(token: string): string | undefined {
    const id = token.slice(0, idLength)
    return isSame(token.slice(idLength), this.#sign(id)) ? id : undefined
  }

  #sign(id: string): string {
    const mac = createHmac('sha256', this.#secret).update(`filejobs ${this.#kind} ${id}`).digest()
    return mac.subarray(0, signatureBytes).toString('base64url')
  }
}

/** Without a leading dash, which a command line would take for an option. */
export function newLinkId(): string {
  return randomBytes(idBytes).toString('base64url').replace(/^-/, 'A')
}

/** When a link is to end. */
export type LinkExpiry = { inSeconds: number } | { at: Date }

/** `now` in milliseconds since 1970. Throws `invalid-request` for a past end, and one more than 366 days ahead. */
export function endOfLink(expires: LinkExpiry, now: number): Date {
  const end = 'at' in expires ? expires.at : new Date(now + expires.inSeconds * 1000)
  const milliseconds = end.getTime() - now
  if (milliseconds > 0 && milliseconds <= maxShareSeconds * 1000) return end
  const reason = milliseconds > 0 ? 'is more than 366 days ahead' : 'is over'
  throw new Problem('invalid-request', `The end of the link ${reason}.`, { field: 'expiresAt' })
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const idBytes = 9
const idLength = (idBytes * 4) / 3
const signatureBytes = 24
