/** The variables that the client reads. */
export const clientVariables: readonly string[] = [
  'FILEJOBS_SERVER',
  'FILEJOBS_TOKEN',
  'FILEJOBS_PASSWORD',
  'FILEJOBS_DEBUG',
]
