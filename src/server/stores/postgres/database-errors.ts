/** Whether a row with the same unique key exists. */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === '23505'
}

/** Whether a row was to name one that does not exist. */
export function isMissingReference(error: unknown): boolean {
  return codeOf(error) === '23503'
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
