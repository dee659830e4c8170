import { Problem } from '../../../protocol/problems.js'
import { decodeUtf8 } from './utf8.js'

/**
 * The pairs of an `application/x-www-form-urlencoded` body, parsed as in the URL standard. Unlike `URLSearchParams` it
 * throws `invalid-request` for invalid UTF-8, percent-encoded or not.
 */
export function parseUrlEncoded(body: Buffer): [string, string][] {
  const pairs = body
    .toString('latin1')
    .split('&')
    .filter((pair) => pair !== '')
  return pairs.map((pair) => {
    const end = pair.indexOf('=')
    const [name, value] = end < 0 ? [pair, ''] : [pair.slice(0, end), pair.slice(end + 1)]
    return [decode(name), decode(value)]
  })
}

function decode(latin1: string): string {
  const unescaped = latin1
    .replaceAll('+', ' ')
    .replace(/%([0-9a-f]{2})/gi, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
  const text = decodeUtf8(Buffer.from(unescaped, 'latin1'))
  if (text === undefined) throw new Problem('invalid-request', 'The body is not UTF-8.', { field: 'body' })
  return text
}
