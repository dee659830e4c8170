import { Failure } from './exit-codes.js'

/** A pattern such as `photos/*.jpg`. */
export interface NamePattern {
  /** The names that can match start with it. */
  readonly prefix: string
  /** Whether a match may have more slashes than the pattern. */
  readonly isDeep: boolean
  matches(name: string): boolean
}

/** Whether a name has a character of a pattern in it. */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text)
}

/**
 * `*` and `?` match any characters of a segment, `**` any segments, `[a-z]` one of several characters. They can match
 * themselves only in brackets: `[*]`.
 */
export function parsePattern(text: string): NamePattern {
  const first = text.search(/[*?[]/)
  const source = text.replace(/\*\*\/|\*\*|\*|\?|\[([!^]?)((?:\]|[^\]])[^\]/]*)\]|[\s\S]/g, toSource)
  const expression = toExpression(source, text)
  return {
    prefix: first < 0 ? text : text.slice(0, first),
    isDeep: text.includes('**') || text.slice(first).includes('/'),
    matches: (name) => expression.test(name),
  }
}

function toExpression(source: string, text: string): RegExp {
  try {
    return new RegExp(`^${source}$`, 'su')
  } catch (error) {
    throw new Failure('wrongUse', `The pattern ${text} has a range that ends before it starts.`, { cause: error })
  }
}

function toSource(part: string, not: string | undefined, set: string | undefined): string {
  if (part === '**/') return '(?:[^/]+/)*'
  if (part === '**') return '.*'
  if (part === '*') return '[^/]*'
  if (part === '?') return '[^/]'
  if (set !== undefined) return `[${not ? '^/' : ''}${set.replace(/[\\\]^[]/g, '\\$&')}]`
  return part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
