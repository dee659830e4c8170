/** Whether a row with the same key exists in this unique index. */
export function isDuplicate(error: unknown, index: string): boolean {
  return codeOf(error) === '23505' && (error as { constraint_name?: string }).constraint_name === index
}

/** Whether a row was to name one that does not exist. */
export function isMissingReference(error: unknown): boolean {
  return codeOf(error) === '23503'
}

/**
 * Whether the database or the connection to it has failed, if the error is of neither a file nor a bucket: those have a code, and
 * mistakes of the program have none, or one of Node.
 */
export function isDatabaseFault(error: unknown): error is Error {
  const code = codeOf(error)
  return typeof code === 'string' && !code.startsWith('ERR_')
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
