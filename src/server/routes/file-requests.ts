import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import {
  type FileRequestRecord,
  fileRequestListSchema,
  fileRequestSchema,
  newFileRequestSchema,
} from '../../protocol/file-requests.js'
import { routes } from '../../protocol/routes.js'
import type { ServerConfig } from '../config.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import { baseUrl } from '../routing/base-url.js'
import { accountName } from '../stores/accounts.js'
import type { FileRequests, ListedRequest } from '../transfers/file-requests.js'
import { readJson } from './bodies/json-body.js'
import { parseFolder } from './headers/names.js'
import { requesterOf } from './headers/requester.js'

export interface FileRequestRouteServices {
  requests: FileRequests
  config: Pick<ServerConfig, 'publicUrl' | 'trustProxy'>
}

/** `/requests`: links by which others upload; behind the guard. */
export function fileRequestRoutes({ requests, config }: FileRequestRouteServices) {
  const app = new OpenAPIHono<AppEnv>()
  const recordOf = (request: ListedRequest, base: string): FileRequestRecord => {
    const { id, accountId: _, revokedAt: _at, passwordHash, ...rest } = request
    const url = `${base}${routes.request}/${requests.tokenOf(request)}`
    return { ...rest, id, url, hasPassword: passwordHash !== null }
  }

  app.openAPIRegistry.registerPath(createRequestRoute)
  app.post(routes.requests, async (c) => {
    const { account } = c.get('identity')
    const wanted = await readJson(c.env.incoming, newFileRequestSchema)
    const { folder, expiresIn, expiresAt, password = null, note = null } = wanted
    const { maxFiles = null, maxBytes = null, maxFileBytes = null } = wanted
    const terms = {
      // One of the two was given.
      expires: expiresAt === undefined ? { inSeconds: expiresIn! } : { at: new Date(expiresAt) },
      password,
      ...{ maxFiles, maxBytes, maxFileBytes },
      note: note || null,
    }
    const requester = requesterOf(c.env, config.trustProxy)
    c.set('auditDetails', { name: folder })
    const request = await requests.create(account, parseFolder(folder), terms, requester)
    c.set('auditDetails', { name: folder, id: request.id })
    return c.json(recordOf(request, baseUrl(c.env.incoming, config)), 201)
  })

  app.openapi(listRoute, async (c) => {
    const base = baseUrl(c.env.incoming, config)
    const own = await requests.list(c.get('identity').account)
    return c.json({ requests: own.map((request) => recordOf(request, base)) }, 200)
  })

  app.openapi(revokeRoute, async (c) => {
    const { account } = c.get('identity')
    await requests.revoke(account, c.req.valid('param').id, accountName(account))
    return c.body(null, 204)
  })
  return app
}

const createRequestRoute = createRoute({
  method: 'post',
  path: routes.requests,
  summary: 'Ask for files by a link',
  description:
    'People without an account upload into the folder by the link, until it expires, has got all that it takes or is revoked. ' +
    'Their files replace none: where a name is taken, they get a number, as in `a (2).txt`.',
  request: { body: { content: { 'application/json': { schema: newFileRequestSchema } } } },
  responses: {
    201: { description: 'The link', content: { 'application/json': { schema: fileRequestSchema } } },
    ...problemResponses(400, 401, 403, 409, 413, 415, 503),
  },
})

const listRoute = createRoute({
  method: 'get',
  path: routes.requests,
  summary: 'List my links for uploads',
  responses: {
    200: {
      description: 'Those that work, and those that have ended in the last 30 days',
      content: { 'application/json': { schema: fileRequestListSchema } },
    },
    ...problemResponses(400, 401),
  },
})

const revokeRoute = createRoute({
  method: 'delete',
  path: `${routes.requests}/{id}`,
  summary: 'Revoke a link for uploads',
  description: 'Uploads by it are stopped, also interrupted ones. What has arrived stays.',
  request: { params: z.object({ id: z.string().meta({ description: "the link's id" }) }) },
  responses: { 204: { description: 'Revoked' }, ...problemResponses(401, 404) },
})
