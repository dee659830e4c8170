/**
 * The reason why a name cannot be a file's (a relative path of segments between slashes). Undefined if it can. The same
 * rule validates requests, filters listed folders, and runs in browsers.
 */
export function faultOfName(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (hasMoreBytes(name, maxNameBytes)) return `has more than ${maxNameBytes} bytes`
  if (/\p{Cs}/u.test(name)) return 'is not valid Unicode'
  if (name.normalize('NFC') !== name) return 'is not in Unicode normalization form C (NFC)'
  if (name.includes('\\')) return 'has a backslash in it: use "/" between folders'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name)) return 'has a control character in it'
  const segments = name.split('/')
  if (segments.some((segment) => segment === '')) return 'has an empty segment: no "/" at either end, nor two in a row'
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'has a segment "." or ".."'
  if (segments.some((segment) => hasMoreBytes(segment, maxSegmentBytes))) {
    return `has a segment of more than ${maxSegmentBytes} bytes`
  }
  if (segments[0]!.toLowerCase().startsWith('ops:')) return 'starts with "ops:", the prefix of published names'
  return undefined
}

/** In UTF-8, where a UTF-16 code unit takes three bytes at most. */
function hasMoreBytes(text: string, maxBytes: number): boolean {
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes
}

/** Of a name, in UTF-8. */
export const maxNameBytes = 1024
/** Of each segment between slashes. */
export const maxSegmentBytes = 240
