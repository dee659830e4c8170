import { Problem } from '../../protocol/problems.js'

/** The error for a file whose bytes are not those that were stored. */
export function damagedFile(name: string): Problem {
  const message = `"${name}" is damaged: its bytes do not have the SHA-256 that was recorded when it was stored.`
  return new Problem('file-damaged', `${message} Upload it again, or restore it from a backup.`, { name })
}

/** The error for a published file whose object is missing in the bucket. */
export function lostFile(name: string, cause: unknown): Problem {
  const message = `"${name}" is damaged: its bytes are missing from the storage.`
  return new Problem('file-damaged', `${message} Upload it again, or restore it from a backup.`, { name }, { cause })
}
