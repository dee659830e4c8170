import { Failure } from './exit-codes.js'

/**
 * Normalizes a file name for the server: to NFC, whatever form the disk or the keyboard used. The server validates
 * everything else, except `.` and `..`, which URL parsing resolves before the request: they would refer to another
 * name. Throws a Failure for them.
 */
export function remoteName(text: string): string {
  const name = text.normalize('NFC')
  if (!name.split('/').some((segment) => segment === '.' || segment === '..')) return name
  throw new Failure('wrongUse', `The name "${name}" has a segment "." or "..", which no name on a server can have.`)
}
