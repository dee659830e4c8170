import { Problem } from '../../../protocol/problems.js'
import type { ByteRange } from '../../transfers/sending.js'

/**
 * The single range of a `Range` header (RFC 9110 section 14.2); undefined if the whole file is to be sent: no header,
 * several ranges, other units, a malformed header, or an empty file, for which clients that always send a range expect
 * 200. Throws `range-not-satisfiable`.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '')
  if (!match || size === 0) return undefined
  const [, first, last] = match as unknown as [string, string, string]
  if (first === '' && last === '') return undefined
  if (first === '') {
    if (Number(last) === 0) throw unsatisfiable(size)
    return { start: Math.max(0, size - Number(last)), end: size }
  }
  const start = Number(first)
  // Numbers round positions beyond 2 ** 53.
  if (last !== '' && BigInt(last) < BigInt(first)) return undefined
  if (start >= size) throw unsatisfiable(size)
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

function unsatisfiable(size: number): Problem {
  return new Problem('range-not-satisfiable', `The range lies outside the file of ${size} bytes.`, { size })
}
