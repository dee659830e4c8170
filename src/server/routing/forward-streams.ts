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
 * its streams are ended together. All other jobs are run by the server that gets their request.
 */
export function forwardStreams({ owners, jobs, resumable }: ForwardingOptions): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (!owners || !c.get('identity') || c.req.header(forwardedHeader) !== undefined) return next()
    const id = idOf(c.req.header(partOfHeader), c.req.path)
    if (id === undefined || jobs.find(id) || resumable.isHere(id)) return next()
    const owner = await owners.find(id)
    if (!owner) return next()
    if (owner.address === null) throw new Problem('busy', 'The server that runs the job is not ready yet: try again.')
    await forwardRequest(c.env.incoming, c.env.outgoing, owner.address)
    return RESPONSE_ALREADY_SENT
  }
}

/** Of the job, or of an upload by tus that is part of one. */
function idOf(partOf: string | undefined, path: string): string | undefined {
  return (partOf ?? requestOfJob.exec(path)?.[1] ?? requestOfUpload.exec(path)?.[1])?.toLowerCase()
}

const requestOfJob = new RegExp(`^${routes.jobs}/([^/]+)/(?:finish|unchanged|failed)$`)
const requestOfUpload = new RegExp(`^${routes.tus}/([^/]+)$`)
