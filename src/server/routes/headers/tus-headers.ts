import { parseByteCount } from '../../../protocol/body-length.js'
import { decodeDigest } from '../../../protocol/digest-fields.js'
import { Problem } from '../../../protocol/problems.js'
import { decodeUtf8 } from '../bodies/utf8.js'

/** The supported checksum algorithms of tus. */
export const checksumAlgorithms = ['sha1', 'sha256', 'sha512'] as const
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number]

/** A number of bytes in tus: a non-negative integer. null if the header is missing. Throws `invalid-request`. */
export function parseBytes(header: string | undefined, field: string): number | null {
  if (header === undefined) return null
  const bytes = parseByteCount(header)
  if (bytes !== undefined) return bytes
  throw new Problem('invalid-request', `${field}: "${header.slice(0, 100)}" is not a number of bytes.`, { field })
}

/**
 * The pairs of an `Upload-Metadata` header, with decoded values: keys without spaces or commas, each once, values in
 * Base64. Throws `invalid-request`.
 */
export function parseMetadata(header: string | undefined): Map<string, string> {
  const pairs = new Map<string, string>()
  if (header === undefined || header.trim() === '') return pairs
  for (const pair of header.split(',')) {
    const match = /^ *([\x21-\x2b\x2d-\x7e]+)(?: +([A-Za-z0-9+/]*={0,2}))? *$/.exec(pair)
    const [, key, value] = match ?? []
    if (key === undefined) throw wrongMetadata(`"${pair.slice(0, 100)}" is not a key and a value in Base64`)
    if (pairs.has(key)) throw wrongMetadata(`"${key}" is given twice`)
    pairs.set(key, decode(key, value ?? ''))
  }
  return pairs
}

/** The checksum of one request's bytes; null without one. Throws `invalid-request`, also for an unknown algorithm. */
export function parseChecksum(header: string | undefined): { algorithm: ChecksumAlgorithm; digest: string } | null {
  if (header === undefined) return null
  const field = 'Upload-Checksum'
  const [name, text] = header.split(' ')
  const algorithm = checksumAlgorithms.find((known) => known === name)
  if (!algorithm) {
    throw new Problem('invalid-request', `${field}: use one of ${checksumAlgorithms.join(', ')}.`, { field })
  }
  const digest = decodeDigest(text, algorithm)
  if (digest !== undefined) return { algorithm, digest }
  throw new Problem('invalid-request', `${field}: the ${algorithm} is not in Base64.`, { field })
}

function decode(key: string, value: string): string {
  const bytes = Buffer.from(value, 'base64')
  if (bytes.toString('base64') !== value) throw wrongMetadata(`the value of "${key}" is not in Base64`)
  const text = decodeUtf8(bytes)
  if (text === undefined) throw wrongMetadata(`the value of "${key}" is not UTF-8`)
  return text
}

function wrongMetadata(why: string): Problem {
  return new Problem('invalid-request', `Upload-Metadata: ${why}.`, { field: 'Upload-Metadata' })
}
