import { Problem } from '../../protocol/problems.js'
import type { ByteRange } from '../transfers/sending.js'

/**
 * The single range that a `Range` header asks for (RFC 9110 section 14.2); undefined where the whole is to be sent: no
 * header, several ranges, other units, or a header that is malformed. Throws `range-not-satisfiable`.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '')
  if (!match) return undefined
  const [, first, last] = match as unknown as [string, string, string]
  if (first === '' && last === '') return undefined
  if (first === '') {
    if (Number(last) === 0 || size === 0) throw unsatisfiable(size)
    return { start: Math.max(0, size - Number(last)), end: size }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return undefined
  if (start >= size) throw unsatisfiable(size)
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

/** True where `If-Range` (RFC 9110 section 13.1.5) lets the range count: only a strong entity tag that is the same. */
export function ifRangeHolds(header: string | undefined, entityTag: string): boolean {
  return header === undefined || header === entityTag
}

/** The tags of an `If-Match` or `If-None-Match` header (RFC 9110 section 13.1), weak ones as they stand. */
export function parseEntityTags(header: string | undefined): string[] | '*' | undefined {
  if (header === undefined) return undefined
  if (header.trim() === '*') return '*'
  return header.match(/(?:W\/)?"[^"]*"/g) ?? []
}

/** If-None-Match compares weakly: `W/"a"` is `"a"`. */
export function matchesWeakly(tags: string[] | '*', entityTag: string): boolean {
  return tags === '*' || tags.some((tag) => tag.replace(/^W\//, '') === entityTag)
}

function unsatisfiable(size: number): Problem {
  return new Problem('range-not-satisfiable', `The range lies outside the file of ${size} bytes.`, { size })
}
