/** Where a JSON text breaks the grammar of RFC 8259. */
export interface JsonFault {
  /** In characters. */
  readonly at: number
  readonly reason: string
}

/** Finds the first fault of a JSON value; its end, if the text ends too early. `JSON.parse` does not always say where it is. */
export function findJsonFault(text: string): JsonFault {
  const open: ('{' | '[')[] = []
  let expected: 'value' | 'value or end' | 'key' | 'key or end' | 'comma or end' = 'value'
  let at = endOfSpaces(text, 0)
  while (at < text.length) {
    const character = text[at]!
    const fault = (reason: string) => ({ at, reason: `${reason} instead of ${JSON.stringify(character)}` })
    if (expected === 'comma or end') {
      if (open.length === 0) return fault('the end')
      const inObject = open.at(-1) === '{'
      if (character === ',') expected = inObject ? 'key' : 'value'
      else if (character !== (inObject ? '}' : ']')) return fault(`a comma or "${inObject ? '}' : ']'}"`)
      else open.pop()
      at++
    } else if (expected === 'key' || expected === 'key or end') {
      if (character === '}' && expected === 'key or end') {
        open.pop()
        expected = 'comma or end'
        at++
      } else {
        if (character !== '"') return fault('a key in double quotes')
        const end = endOfString(text, at)
        if (typeof end !== 'number') return end
        at = endOfSpaces(text, end)
        if (at >= text.length) break
        if (text[at] !== ':') return { at, reason: `a colon instead of ${JSON.stringify(text[at])}` }
        at++
        expected = 'value'
      }
    } else if (character === ']' && expected === 'value or end') {
      open.pop()
      expected = 'comma or end'
      at++
    } else if (character === '{' || character === '[') {
      open.push(character)
      expected = character === '{' ? 'key or end' : 'value or end'
      at++
    } else {
      const end = character === '"' ? endOfString(text, at) : endOfWord(text, at)
      if (typeof end !== 'number') return end
      if (end === at) return fault('a value')
      at = end
      expected = 'comma or end'
    }
    at = endOfSpaces(text, at)
  }
  return { at: text.length, reason: 'the text ends too early' }
}

function endOfSpaces(text: string, from: number): number {
  let at = from
  while (spaces.has(text.charCodeAt(at))) at++
  return at
}

/** The end of a number, or of `true`, `false` or `null`; `from` if there is none. */
function endOfWord(text: string, from: number): number {
  word.lastIndex = from
  return word.test(text) ? word.lastIndex : from
}

function endOfString(text: string, from: number): number | JsonFault {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) return at + 1
    if (code < 32) return { at, reason: 'a control character within a string, which has to be escaped' }
    if (code !== 92) continue
    escaped.lastIndex = at
    if (!escaped.test(text)) return { at, reason: 'an escape that JSON does not have' }
    at = escaped.lastIndex - 1
  }
  return { at: text.length, reason: 'a string is never closed' }
}

const spaces = new Set([9, 10, 13, 32])
const word = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y
const escaped = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y
