import { findJsonFault } from './json-syntax.js'

/** A value of a JSON object, with the digits of numbers as written; null for `null`. */
export type JsonMember = { readonly kind: 'text' | 'number' | 'boolean' | 'nested'; readonly text: string } | null

/** A fault of an object, at a character of its text. */
export class ObjectFault extends Error {
  readonly at: number

  constructor(at: number, reason: string) {
    super(reason)
    this.at = at
  }
}

/** The members of one object, in their order; nested values are compact JSON texts. Throws an `ObjectFault`. */
export function readObject(text: string): Map<string, JsonMember> {
  try {
    JSON.parse(text)
  } catch {
    const { at, reason } = findJsonFault(text)
    throw new ObjectFault(at, reason)
  }
  // It is known to be valid from here on.
  const members = new Map<string, JsonMember>()
  let at = endOfSpaces(text, 1)
  while (text[at] !== '}') {
    const keyEnd = endOfString(text, at)
    const key = stringAt(text, at, keyEnd)
    if (members.has(key)) throw new ObjectFault(at, `the key ${JSON.stringify(key.slice(0, 60))} stands there twice`)
    const start = endOfSpaces(text, endOfSpaces(text, keyEnd) + 1)
    const end = endOfValue(text, start)
    members.set(key, memberAt(text, start, end))
    at = endOfSpaces(text, end)
    if (text[at] === ',') at = endOfSpaces(text, at + 1)
  }
  return members
}

function memberAt(text: string, start: number, end: number): JsonMember {
  switch (text[start]) {
    case '"':
      return { kind: 'text', text: stringAt(text, start, end) }
    case '{':
    case '[':
      return { kind: 'nested', text: compact(text.slice(start, end)) }
    case 'n':
      return null
    case 't':
    case 'f':
      return { kind: 'boolean', text: text.slice(start, end) }
    default:
      return { kind: 'number', text: text.slice(start, end) }
  }
}

function stringAt(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1)
  if (!raw.includes('\\')) return raw
  const value = JSON.parse(text.slice(start, end)) as string
  // Half of a pair of surrogates cannot be stored as UTF-8.
  if (/\p{Surrogate}/u.test(value)) throw new ObjectFault(start, 'an escape such as "\\ud800" that is half a character')
  return value
}

function endOfSpaces(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= 32) at++
  return at
}

function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

function isEscaped(text: string, at: number): boolean {
  let start = at
  while (text[start - 1] === '\\') start--
  return (at - start) % 2 === 1
}

function endOfValue(text: string, from: number): number {
  if (text[from] === '"') return endOfString(text, from)
  if (text[from] === '{' || text[from] === '[') return endOfNested(text, from)
  let at = from
  for (let code = text.charCodeAt(at); code > SPACE && code !== COMMA && code !== CLOSE; ) code = text.charCodeAt(++at)
  return at
}

function endOfNested(text: string, from: number): number {
  let depth = 0
  for (let at = from; ; ) {
    const character = text[at]!
    if (character === '"') {
      at = endOfString(text, at)
      continue
    }
    at++
    if (character === '{' || character === '[') depth++
    else if ((character === '}' || character === ']') && --depth === 0) return at
  }
}

/** Without white space between values, and else as written. */
function compact(json: string): string {
  if (!/\s/.test(json)) return json
  const parts: string[] = []
  let start = 0
  for (let at = 0; at < json.length; ) {
    if (json[at] === '"') at = endOfString(json, at)
    else if (json.charCodeAt(at) > 32) at++
    else {
      parts.push(json.slice(start, at))
      at = start = endOfSpaces(json, at)
    }
  }
  return parts.join('') + json.slice(start)
}

const [SPACE, COMMA, CLOSE] = [32, 44, 125] as const
