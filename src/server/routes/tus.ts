import { OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { routes } from '../../protocol/routes.js'
import type { Log } from '../log.js'
import type { AppEnv } from '../routing/app-env.js'
import { checksumAlgorithms } from './headers/tus-headers.js'
import { answerProblem } from './responses/problems.js'
import { documentTus } from './tus-document.js'
import { checkTusVersion, TusExchange, type TusExchangeServices, tusStatuses, tusVersion } from './tus-exchange.js'

export interface TusServices extends TusExchangeServices {
  log: Log
}

/** Sends the version in every response, and the supported extensions to OPTIONS. */
export function announceTus(config: { maxFileSize: number | null }): MiddlewareHandler<AppEnv> {
  return (c, next) => {
    const { outgoing } = c.env
    // tus: "The Tus-Resumable header MUST be included in every request and response except for OPTIONS requests."
    outgoing.setHeader('Tus-Resumable', tusVersion)
    if (c.req.method === 'OPTIONS') {
      outgoing.setHeader('Tus-Version', tusVersion)
      outgoing.setHeader('Tus-Extension', extensions.join(','))
      outgoing.setHeader('Tus-Checksum-Algorithm', checksumAlgorithms.join(','))
      if (config.maxFileSize !== null) outgoing.setHeader('Tus-Max-Size', String(config.maxFileSize))
    }
    return next()
  }
}

/**
 * `/tus`: resumable uploads by tus 1.0.0, with the extensions creation, creation-with-upload, creation-defer-length, checksum,
 * checksum-trailer, expiration and termination.
 */
export function tusRoutes(services: TusServices) {
  const app = new OpenAPIHono<AppEnv>({ strict: false })
  const exchange = new TusExchange(services)
  documentTus(app)
  app.onError((error, c) => answerProblem(error, c, services.log, tusStatuses))

  app.use(`${routes.tus}/*`, async (c, next) => {
    checkTusVersion(c)
    return next()
  })

  // For all methods, because a header may replace them.
  app.all(routes.tus, (c) => exchange.create(c, { identity: c.get('identity'), address: routes.tus }))

  app.all(`${routes.tus}/:id`, (c) => {
    return exchange.answer(c, c.req.param('id'), { identity: c.get('identity'), address: routes.tus })
  })
  return app
}

const extensions = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'checksum',
  'checksum-trailer',
  'expiration',
  'termination',
] as const
