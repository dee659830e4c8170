import { Problem } from '../../protocol/problems.js'

/** The error for bytes that do not have their declared digest. */
export function digestMismatch(_algorithm: string, declared: string, computed: string): Problem {
  const message = `What arrived has the digest ${computed}, but ${declared} was declared: send it again.`
  return new Problem('digest-mismatch', message, { declared, computed })
}
