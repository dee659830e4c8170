import { Failure } from './exit-codes.js'

const pattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export function isJobId(text: string): boolean {
  return pattern.test(text)
}

/** The text, where it has the form of a job's id. Throws a Failure that says where to find one. */
export function requireJobId(text: string): string {
  if (isJobId(text)) return text
  throw new Failure('wrongUse', `"${text}" is not the id of a job: see "filejobs jobs".`)
}
