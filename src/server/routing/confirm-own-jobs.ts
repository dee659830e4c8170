import type { MiddlewareHandler } from 'hono'
import { partOfHeader, routes } from '../../protocol/routes.js'
import type { RemoteJobs } from '../stores/remote-jobs.js'
import type { AppEnv } from './app-env.js'

/**
 * A server that was suspended may answer with the state of a job that others have taken since: requests for jobs wait until it
 * knows. If it cannot know, because it does not reach the database, only stops are served, which end what it has itself.
 */
export function confirmOwnJobs({ remote }: { remote: Pick<RemoteJobs, 'confirmOwn'> }): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const isOfJob = c.req.header(partOfHeader) !== undefined || ofJobs.test(c.req.path)
    if (!isOfJob || !c.get('identity')) return next()
    try {
      await remote.confirmOwn()
    } catch (error) {
      if (!stops.test(c.req.path)) throw error
    }
    return next()
  }
}

const ofJobs = new RegExp(`^(?:${routes.jobs}|${routes.tus})(?:/|$)`)
const stops = /\/stop$/
