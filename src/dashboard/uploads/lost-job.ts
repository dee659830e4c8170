import { Refusal } from '../api.js'

/** Whether an error ends the whole job, not only the upload of one file. */
export function endsOthers(error: unknown): boolean {
  return mayBeLost(error) || (error instanceof Refusal && ofAll.includes(error.code))
}

/**
 * Whether the server may have lost the job, for example by a restart. A response about the state of an upload has a status,
 * but no code.
 */
export function mayBeLost(error: unknown): boolean {
  return error instanceof Refusal && ([404, 410].includes(error.status) || ofALostJob.includes(error.code))
}

/** `not-joinable` is also the response to a chunk of an upload whose job has ended. */
const ofALostJob = ['not-running', 'not-joinable']
const ofAll = ['job-stopped', 'not-logged-in', 'not-allowed']
