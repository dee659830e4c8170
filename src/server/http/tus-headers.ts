import { Problem } from '../../protocol/problems.js'

/** The checksum algorithms of tus that we know. */
export const checksumAlgorithms = ['sha1', 'sha256'] as const
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number]

/** A number of bytes as tus writes it: a non-negative integer. null where the header is missing. Throws `invalid-request`. */
export function parseBytes(header: string | undefined, field: string): number | null {
  if (header === undefined) return null
  const bytes = /^\d{1,16}$/.test(header) ? Number(header) : Number.NaN
  if (Number.isSafeInteger(bytes)) return bytes
  throw new Problem('invalid-request', `${field}: "${header.slice(0, 100)}" is not a number of bytes.`, { field })
}

/**
 * The pairs of an `Upload-Metadata` header, their values decoded: keys without space or comma, each once, values in
 * Base64. Throws `invalid-request`.
 */
export function parseMetadata(header: string | undefined): Map<string, string> {
  const pairs = new Map<string, string>()
  if (header === undefined || header.trim() === '') return pairs
  for (const pair of header.split(',')) {
    const match = /^ *([\x21-\x2b\x2d-\x7e]+)(?: +([A-Za-z0-9+/]*={0,2}))? *$/.exec(pair)
    const [, key, value] = match ?? []
    if (key === undefined) throw wrongMetadata(`"${pair.slice(0, 100)}" is not a key and a value in Base64`)
    if (pairs.has(key)) throw wrongMetadata(`"${key}" stands there twice`)
    pairs.set(key, decode(key, value ?? ''))
  }
  return pairs
}

/** The checksum of one request's bytes; null where there is none. Throws `invalid-request` for an unknown algorithm too. */
export function parseChecksum(header: string | undefined): { algorithm: ChecksumAlgorithm; digest: Buffer } | null {
  if (header === undefined) return null
  const field = 'Upload-Checksum'
  const [name, text] = header.split(' ')
  const algorithm = checksumAlgorithms.find((known) => known === name)
  if (!algorithm) {
    throw new Problem('invalid-request', `${field}: use one of ${checksumAlgorithms.join(', ')}.`, { field })
  }
  const digest = Buffer.from(text ?? '', 'base64')
  if (digest.length === digestBytes[algorithm] && digest.toString('base64') === text) return { algorithm, digest }
  throw new Problem('invalid-request', `${field}: the ${algorithm} is not in Base64.`, { field })
}

const digestBytes: Record<ChecksumAlgorithm, number> = { sha1: 20, sha256: 32 }

function decode(key: string, value: string): string {
  const bytes = Buffer.from(value, 'base64')
  if (bytes.toString('base64') !== value) throw wrongMetadata(`the value of "${key}" is not in Base64`)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw wrongMetadata(`the value of "${key}" is not UTF-8`)
  }
}

function wrongMetadata(why: string): Problem {
  return new Problem('invalid-request', `Upload-Metadata: ${why}.`, { field: 'Upload-Metadata' })
}
