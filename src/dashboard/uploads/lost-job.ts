import { Refusal } from '../api.js'

/** Whether an error of one file means that no other one of its job can be sent either. */
export function endsOthers(error: unknown): boolean {
  return mayBeLost(error) || (error instanceof Refusal && ofAll.includes(error.code))
}

/**
 * Whether the server may have lost the job, as after a restart: it no longer knows the job or the upload, whose state it
 * gives without words.
 */
export function mayBeLost(error: unknown): boolean {
  return error instanceof Refusal && ([404, 410].includes(error.status) || ofALostJob.includes(error.code))
}

/** `not-joinable` also answers a chunk of an upload that has ended with its job. */
const ofALostJob = ['not-running', 'not-joinable']
const ofAll = ['job-stopped', 'not-logged-in', 'not-allowed']
