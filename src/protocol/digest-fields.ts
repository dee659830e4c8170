import type { IncomingHttpHeaders } from 'node:http'

/** `Repr-Digest` and `Content-Digest` hold byte sequences in base64 between colons (RFC 9530, RFC 8941). */
export function formatDigest(sha256: Buffer): string {
  return `sha-256=:${sha256.toString('base64')}:`
}

/** The SHA-256 of `Repr-Digest` in hexadecimal; undefined if it has none. */
export function findSha256({ 'repr-digest': field }: IncomingHttpHeaders): string | undefined {
  const text = Array.isArray(field) ? field.join(',') : field
  const [, value] = /(?:^|[,\s])sha-256=:([A-Za-z0-9+/=]+):/.exec(text ?? '') ?? []
  return decodeDigest(value, 'sha256')
}

/** A digest in base64 as hexadecimal digits; undefined if it is anything else, or has another length. */
export function decodeDigest(text: string | undefined, algorithm: keyof typeof digestBytes): string | undefined {
  const bytes = Buffer.from(text ?? '', 'base64')
  return bytes.length === digestBytes[algorithm] && bytes.toString('base64') === text
    ? bytes.toString('hex')
    : undefined
}

export const digestBytes = { sha1: 20, sha256: 32, sha512: 64 } as const
