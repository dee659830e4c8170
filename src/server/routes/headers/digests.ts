import type { IncomingMessage } from 'node:http'
import { decodeDigest, digestBytes, formatDigest } from '../../../protocol/digest-fields.js'
import { Problem } from '../../../protocol/problems.js'
import type { DeclaredDigests, DigestAlgorithm } from '../../stores/files.js'

/** RFC 9530, and its predecessor `Digest` (RFC 3230). */
export type DigestField = 'Content-Digest' | 'Repr-Digest' | 'Digest'

/** The fields that refer to a file which is the whole body of its request. */
export const fileFields = ['Content-Digest', 'Repr-Digest', 'Digest'] as const

/**
 * The digests that a client wants verified. Unknown algorithms are ignored only beside a known one. Throws
 * `invalid-request` for everything that cannot be verified.
 */
export function declaredDigests(
  get: (name: string) => string | undefined,
  fields: readonly DigestField[],
): DeclaredDigests {
  if (get('content-md5') !== undefined) throw uncheckable('Content-MD5', 'is not supported: use Content-Digest')
  const tusField = 'Upload-Checksum'
  if (fields === fileFields && get(tusField.toLowerCase()) !== undefined) {
    throw uncheckable(tusField, 'is verified by /tus only: use Content-Digest')
  }
  return fields.reduce(
    (all: DeclaredDigests, field) => mergeDigests(all, parseField(get(field.toLowerCase()), field)),
    {},
  )
}

/** Digests in trailers, available at the end of the body. Throws if `Trailer` announced one that is missing. */
export function lateDigests(incoming: IncomingMessage, fields: readonly DigestField[]): DeclaredDigests {
  for (const field of fields) checkArrived(incoming, field)
  return declaredDigests((name) => incoming.trailers[name], fields)
}

/** Whether `Trailer` (RFC 9110 section 6.6.2) announces the field after the body. */
export function isAnnounced({ headers }: IncomingMessage, field: string): boolean {
  return (headers.trailer ?? '').split(',').some((name) => name.trim().toLowerCase() === field.toLowerCase())
}

/** A client that announces a digest wants it verified. */
export function checkArrived(incoming: IncomingMessage, field: string): void {
  if (!isAnnounced(incoming, field) || incoming.trailers[field.toLowerCase()] !== undefined) return
  throw uncheckable(field, 'was announced as a trailer, but did not come')
}

/** Throws `invalid-request` if both have different values for an algorithm. */
export function mergeDigests(a: DeclaredDigests, b: DeclaredDigests): DeclaredDigests {
  for (const algorithm of Object.keys(a) as DigestAlgorithm[]) {
    if (b[algorithm] === undefined || a[algorithm] === b[algorithm]) continue
    throw new Problem('invalid-request', `Two different digests by ${algorithm} are declared.`, {
      field: 'Repr-Digest',
    })
  }
  return { ...a, ...b }
}

/** A `Repr-Digest` header (RFC 9530) for a SHA-256 of 64 hexadecimal digits. */
export function reprDigest(sha256: string): string {
  return formatDigest(Buffer.from(sha256, 'hex'))
}

function parseField(header: string | undefined, field: DigestField): DeclaredDigests {
  const members = (header ?? '').split(',').map((member) => member.trim())
  let digests: DeclaredDigests = {}
  const unknown: string[] = []
  for (const member of members.filter((text) => text !== '')) {
    const [, key = member, value = ''] = /^([^\s=]+)\s*=\s*(.*)$/.exec(member) ?? []
    const algorithm = algorithms.get(key.toLowerCase())
    if (algorithm) digests = mergeDigests(digests, { [algorithm]: parseValue(value, algorithm, field) })
    else unknown.push(key.slice(0, 50))
  }
  if (unknown.length > 0 && Object.keys(digests).length === 0) {
    throw uncheckable(field, `"${unknown.join(', ')}" is not supported: use sha-256 or sha-512`)
  }
  return digests
}

/** RFC 9530: a byte sequence between colons; RFC 3230 has none. */
function parseValue(value: string, algorithm: DigestAlgorithm, field: DigestField): string {
  const [, text] = (field === 'Digest' ? /^(.*)$/ : /^:([^:]*):\s*(?:;.*)?$/).exec(value) ?? []
  const digest = decodeDigest(text, algorithm)
  if (digest !== undefined) return digest
  throw uncheckable(field, `the ${algorithm} is not ${digestBytes[algorithm]} bytes in Base64`)
}

function uncheckable(field: string, why: string): Problem {
  return new Problem('invalid-request', `${field}: ${why}.`, { field })
}

const algorithms = new Map<string, DigestAlgorithm>([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
])
