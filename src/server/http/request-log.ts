import type { MiddlewareHandler } from 'hono'
import { jobHeader } from '../../protocol/routes.js'
import type { Log } from '../log.js'
import { accountName } from '../stores/accounts.js'
import type { AppEnv } from './app-env.js'
import { askerOf } from './asker.js'

/** Logs a line for each request once its answer has ended, with who asked and how long it took in milliseconds. */
export function requestLog(log: Log, { trustProxy }: { trustProxy: number }): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { incoming, outgoing } = c.env
    const began = performance.now()
    const path = pathOf(incoming.url ?? '')
    const { address } = askerOf(incoming, trustProxy)
    let job: string | null = null
    outgoing.once('close', () => {
      const status = outgoing.headersSent ? outgoing.statusCode : null
      const identity = c.get('identity') as AppEnv['Variables']['identity'] | undefined
      log.info(`${incoming.method} ${path} ${status ?? 'unanswered'}`, {
        method: incoming.method,
        path,
        status,
        ms: Math.round(performance.now() - began),
        ...(outgoing.writableFinished ? {} : { cut: true }),
        address,
        account: identity ? accountName(identity.account) : null,
        ...(job === null ? {} : { job }),
      })
    })
    await next()
    job = c.res.headers.get(jobHeader)
  }
}

/** Without the query, which may hold anything, and without the secret of a share's link. */
function pathOf(target: string): string {
  const path = target.replace(/[?#].*$/s, '')
  return path.replace(/^(\/+s\/+)[^/]+/, '$1…').slice(0, maxPathLength)
}

const maxPathLength = 500
