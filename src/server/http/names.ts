import { Problem } from '../../protocol/problems.js'
import { pathOf } from './target-check.js'

/**
 * Checks a file's name: a relative path of segments between slashes. Nothing is repaired in silence. Throws
 * `invalid-request` saying what is wrong with it.
 */
export function parseName(name: string): string {
  const wrong = faultOf(name)
  if (wrong) throw new Problem('invalid-request', `The name ${JSON.stringify(name)} ${wrong}.`, { field: 'name' })
  return name
}

/**
 * The name in a raw request target such as `/files/a%20b?x=1`, behind `prefix` (`/files/`). The router must not have
 * touched it: it folds `..` away. Decoded once, strictly.
 */
export function nameFromTarget(target: string, prefix: string): string {
  const path = pathOf(target)
  if (!path.startsWith(prefix)) throw unreadable(path)
  const encoded = path.slice(prefix.length)
  // Refused before decoding too: `.` and `..` have a meaning of their own in a target, whatever they decode to.
  if (encoded.split('/').some((segment) => segment === '.' || segment === '..')) {
    throw new Problem('invalid-request', 'The name has a segment "." or "..".', { field: 'name' })
  }
  try {
    return parseName(decodeURIComponent(encoded))
  } catch (error) {
    if (error instanceof URIError) throw unreadable(encoded)
    throw error
  }
}

/** What an ops account publishes, as `OPS` or `OPS/NAME` in a raw request target behind `prefix`; like `nameFromTarget`. */
export function publishedFromTarget(target: string, prefix: string): { ops: string; name: string | null } {
  // A slash at the end of `OPS/` is tolerated, because it is a fixed route; one at the end of a name is not.
  const path = pathOf(target)
  const isList = /^[^/]*\/?$/.test(path.slice(prefix.length))
  const [ops = '', ...rest] = nameFromTarget(isList ? path.replace(/\/$/, '') : path, prefix).split('/')
  return { ops, name: rest.length === 0 ? null : rest.join('/') }
}

function faultOf(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (Buffer.byteLength(name) > maxNameBytes) return `has more than ${maxNameBytes} bytes`
  if (/\p{Cs}/u.test(name)) return 'is not valid Unicode'
  if (name.normalize('NFC') !== name) return 'is not in Unicode normalization form C (NFC)'
  if (name.includes('\\')) return 'has a backslash in it: use "/" between folders'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name)) return 'has a control character in it'
  const segments = name.split('/')
  if (segments.some((segment) => segment === '')) return 'has an empty segment: no "/" at either end, nor two in a row'
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'has a segment "." or ".."'
  if (segments.some((segment) => Buffer.byteLength(segment) > maxSegmentBytes)) {
    return `has a segment of more than ${maxSegmentBytes} bytes`
  }
  if (segments[0]!.toLowerCase().startsWith('ops:')) return 'begins like "ops:", which names what an account publishes'
  return undefined
}

function unreadable(encoded: string): Problem {
  return new Problem('invalid-request', `The name "${encoded}" is not percent-encoded UTF-8.`, { field: 'name' })
}

const maxNameBytes = 1024
const maxSegmentBytes = 240
