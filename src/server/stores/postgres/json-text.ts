import { toUSVString } from 'node:util'

/**
 * A value as JSON of which PostgreSQL can read every member: in texts, it has no NUL and no half of a surrogate pair, which
 * come from names in archives and rows of files. Each becomes a replacement character.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'string' ? toUSVString(member).replaceAll('\0', '\uFFFD') : member,
  )
}
