import type { MiddlewareHandler } from 'hono'
import { jobHeader } from '../../protocol/routes.js'
import type { Log } from '../log.js'
import { addressOf } from '../routes/headers/requester.js'
import { accountName } from '../stores/accounts.js'
import type { AppEnv } from './app-env.js'
import { loggedPath } from './logged-path.js'
import { pathOf } from './target-check.js'

/**
 * Logs a line for each request after its response has ended, with the account and the duration in milliseconds, and an
 * audit line where the table of routes has one. Requests without a login, which no rights could allow, have none.
 */
export function requestLog(log: Log, { trustProxy }: { trustProxy: number }): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { incoming, outgoing } = c.env
    const began = performance.now()
    const path = loggedPath(pathOf(incoming.url ?? ''))
    const address = addressOf(incoming, trustProxy)
    let job: string | null = null
    outgoing.once('close', () => {
      const status = outgoing.headersSent ? outgoing.statusCode : null
      const identity = c.get('identity') as AppEnv['Variables']['identity'] | undefined
      const account = identity ? accountName(identity.account) : null
      log.info(`${incoming.method} ${path} ${status ?? 'unanswered'}`, {
        method: incoming.method,
        path,
        status,
        ms: Math.round(performance.now() - began),
        ...(outgoing.writableFinished ? {} : { cut: true }),
        address,
        account,
        ...(job === null ? {} : { job }),
      })
      const event = c.get('auditEvent')
      if (!event || status === 401) return
      const outcome = status !== null && status < 400 ? 'done' : 'refused'
      log.audit(event, { account, address, outcome, target: path, status, ...c.get('auditDetails') })
    })
    await next()
    job = c.res.headers.get(jobHeader)
  }
}
