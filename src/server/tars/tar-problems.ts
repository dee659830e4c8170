import { Problem } from '../../protocol/problems.js'

/** The error for an entry that is not stored; `why` completes the sentence "The entry … ". */
export function refusedEntry(name: string, why: string): Problem {
  return new Problem('invalid-request', `The tar entry ${JSON.stringify(name)} ${why}.`, { field: 'body', name })
}

/** The error for a body that is no complete tar. */
export function malformedTar(why: string, cause?: unknown): Problem {
  return new Problem('invalid-request', `The body is not a complete tar: ${why}.`, { field: 'body' }, { cause })
}
