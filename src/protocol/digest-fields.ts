import type { IncomingHttpHeaders } from 'node:http'

/** `Repr-Digest` and `Content-Digest` hold byte sequences in base64 between colons (RFC 9530, RFC 8941). */
export function formatDigest(sha256: Uint8Array): string {
  return `sha-256=:${encodeBase64(sha256)}:`
}

/** The SHA-256 of `Repr-Digest` in hexadecimal; undefined if it has none. */
export function findSha256({ 'repr-digest': field }: IncomingHttpHeaders): string | undefined {
  return parseSha256(Array.isArray(field) ? field.join(',') : field)
}

/** The same for the headers of a `Response`. */
export function fetchedSha256(headers: { get(name: string): string | null }): string | undefined {
  return parseSha256(headers.get('repr-digest'))
}

function parseSha256(field: string | null | undefined): string | undefined {
  const [, value] = /(?:^|[,\s])sha-256=:([A-Za-z0-9+/=]+):/.exec(field ?? '') ?? []
  return decodeDigest(value, 'sha256')
}

/** The value of `Upload-Checksum` for the bytes of one request of tus. */
export function formatChecksum(sha256: Uint8Array): string {
  return `sha256 ${encodeBase64(sha256)}`
}

/** A digest in base64 as hexadecimal digits; undefined if it is anything else, or has another length. */
export function decodeDigest(text: string | undefined, algorithm: keyof typeof digestBytes): string | undefined {
  const bytes = decodeBase64(text ?? '')
  return bytes?.length === digestBytes[algorithm] && encodeBase64(bytes) === text ? formatHex(bytes) : undefined
}

export const digestBytes = { sha1: 20, sha256: 32, sha512: 64 } as const

/** Bytes as hexadecimal digits, in browsers too. */
export function formatHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Of some bytes, in browsers too. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}
