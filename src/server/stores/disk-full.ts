import { isFull } from '../../protocol/file-errors.js'
import { Problem } from '../../protocol/problems.js'

/** Whether the error means that there is no space to write to. */
export function isDiskFull(error: unknown): boolean {
  if (error instanceof Problem) return error.code === 'disk-full'
  return isFull(error)
}

export function diskFull(cause: unknown): Problem {
  const message = "The server's disk is full. Remove files, or ask an admin for more space."
  return new Problem('disk-full', message, {}, { cause })
}
