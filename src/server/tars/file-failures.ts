import { asProblem } from '../jobs/outcome.js'

/** Whether an error concerns one file, so that the others of its stream can be stored. */
export function isOfFileAlone(error: unknown): boolean {
  return (ofOneFile as readonly string[]).includes(asProblem(error).code)
}

const ofOneFile = ['name-conflict', 'precondition-failed', 'digest-mismatch', 'file-damaged']
