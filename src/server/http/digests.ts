import { Problem } from '../../protocol/problems.js'

/**
 * The SHA-256 of a `Repr-Digest` header (RFC 9530), as 64 hexadecimal digits; null where there is none. Other algorithms
 * are passed over. Throws `invalid-request` where the SHA-256 is malformed.
 */
export function parseReprDigest(header: string | undefined): string | null {
  const match = /(?:^|,)\s*sha-256=:([^:]*):/i.exec(header ?? '')
  if (!match) return null
  const bytes = Buffer.from(match[1]!, 'base64')
  if (bytes.length !== 32 || bytes.toString('base64') !== match[1]) {
    throw new Problem('invalid-request', 'Repr-Digest: sha-256 is not 32 bytes in Base64.', { field: 'Repr-Digest' })
  }
  return bytes.toString('hex')
}

/** A `Repr-Digest` header (RFC 9530) for a SHA-256 of 64 hexadecimal digits. */
export function reprDigest(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`
}
