import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { MiddlewareHandler } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { partOfHeader, routes } from '../../protocol/routes.js'
import { forwardedHeader, forwardRequest } from '../http/forward-request.js'
import type { Owners } from '../stores/owners.js'
import type { AppEnv } from './app-env.js'

export interface ForwardingOptions {
  /** Of the other servers; null for a server that is alone. */
  owners: Owners | null
  jobs: { find(id: string): object | undefined }
  resumable: { isHere(id: string): boolean }
}

/**
 * Forwards the requests of a job of many files to the server that runs it: the job has one slot, one rate and one stop, and
 * its streams are ended together. So is the fetch of a prepared archive. All other jobs are run by the server that gets their request.
 */
export function forwardStreams({ owners, jobs, resumable }: ForwardingOptions): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (!owners || !c.get('identity') || c.req.header(forwardedHeader) !== undefined) return next()
    const { job, part } = idsOf(c.req.header(partOfHeader), c.req.path)
    const isElsewhere = job !== undefined && !jobs.find(job)
    const isPartElsewhere = part !== undefined && !resumable.isHere(part)
    const owner = (isElsewhere && (await owners.ofJob(job))) || (isPartElsewhere && (await owners.ofPart(part)))
    if (!owner) return next()
    if (owner.address === null) throw new Problem('busy', 'The server that runs the job is not ready yet: try again.')
    await forwardRequest(c.env.incoming, c.env.outgoing, owner.address)
    return RESPONSE_ALREADY_SENT
  }
}

/** Of the job, and of an upload by tus that may be part of one. */
function idsOf(partOf: string | undefined, path: string): { job?: string | undefined; part?: string | undefined } {
  const [, ofPath] = requestOfJob.exec(path) ?? []
  const [, part] = requestOfUpload.exec(path) ?? []
  return { job: (partOf ?? ofPath)?.toLowerCase(), part: part?.toLowerCase() }
}

const requestOfJob = new RegExp(`^${routes.jobs}/([^/]+)/(?:finish|unchanged|failed|archive)$`)
const requestOfUpload = new RegExp(`^${routes.tus}/([^/]+)$`)
