import { isUnreachable } from '../../../protocol/file-errors.js'

/** For `catch`: a path that cannot be reached, or is no regular file, counts as missing. */
export function missingAsUndefined(error: unknown): undefined {
  if (!isUnreachable(error)) throw error
}

/** Like `missingAsUndefined`, for the entries of a folder. */
export function missingAsEmpty(error: unknown): [] {
  missingAsUndefined(error)
  return []
}
