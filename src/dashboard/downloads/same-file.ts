import { parsePublished } from '../../protocol/routes.js'

/** Whether two names refer to the same file (the account's own, or `ops:OPS/NAME`). Usernames are case-insensitive. */
export function isSameFile(one: string, other: string | null): boolean {
  if (other === null) return false
  const [a, b] = [parsePublished(one), parsePublished(other)]
  return a && b ? a.ops.toLowerCase() === b.ops.toLowerCase() && a.name === b.name : one === other
}
