import { Failure } from './exit-codes.js'

/**
 * A file's name as the server wants it: in normalization form C, whatever form the disk or the keyboard used. All else
 * is judged by the server; but `.` and `..` would never reach it, since every URL is folded before it is sent, and would
 * name something else. Throws a Failure for these.
 */
export function remoteName(text: string): string {
  const name = text.normalize('NFC')
  if (!name.split('/').some((segment) => segment === '.' || segment === '..')) return name
  throw new Failure('wrongUse', `The name "${name}" has a segment "." or "..", which no name on a server can have.`)
}
