import { Problem, type ProblemCode } from '../../../protocol/problems.js'

/** An error of a form or one of its parts. The message is a predicate, whose subject is that form or part. */
export class FormFault extends Error {
  readonly code: ProblemCode

  constructor(why: string, code: ProblemCode = 'invalid-request') {
    super(why)
    this.code = code
  }
}

/** The position of an error in a form: the part's number, from 1, and its known names. */
export interface PartPlace {
  number: number
  field?: string | null
  filename?: string | null
}

/** The error for the whole form. `place` is null if no part is at fault. */
export function refuseForm(fault: FormFault, place: PartPlace | null): Problem {
  const subject = place ? `its part ${place.number}${formatNames(place)}` : 'it'
  const details = { field: 'body', ...(place ? { part: place.number } : {}) }
  return new Problem(fault.code, `The form is malformed: ${subject} ${fault.message}.`, details)
}

function formatNames({ field, filename }: PartPlace): string {
  const names = [field && `field ${JSON.stringify(field)}`, filename && `file ${JSON.stringify(filename)}`].filter(
    Boolean,
  )
  return names.length === 0 ? '' : ` (${names.join(', ')})`
}
