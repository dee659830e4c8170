import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import { newShareSchema, type ShareRecord, shareListSchema, shareSchema } from '../../protocol/shares.js'
import { requirePermission } from '../auth/permissions.js'
import type { ServerConfig } from '../config.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { askerOf } from '../http/asker.js'
import { baseUrl } from '../http/base-url.js'
import { readJson } from '../http/json-body.js'
import { parseName } from '../http/names.js'
import { downloadHeaders } from '../http/request-headers.js'
import { headFile, sendFile } from '../http/send-file.js'
import { accountName } from '../stores/accounts.js'
import type { Share } from '../stores/shares.js'
import type { Exports } from '../transfers/exports.js'
import type { Shares } from '../transfers/shares.js'

export interface ShareRouteServices {
  shares: Shares
  exports: Exports
  config: Pick<ServerConfig, 'publicUrl' | 'trustProxy'>
}

/** `/shares`: links to single files; behind the guard. */
export function shareRoutes({ shares, config }: ShareRouteServices) {
  const app = new OpenAPIHono<AppEnv>()
  const recordOf = (share: Share, base: string): ShareRecord => {
    const { id, filename, createdAt, expiresAt } = share
    return { id, url: `${base}${routes.shared}/${shares.tokenOf(share)}`, filename, createdAt, expiresAt }
  }

  app.openAPIRegistry.registerPath(createShareRoute)
  app.post(routes.shares, async (c) => {
    const { account } = c.get('identity')
    requirePermission(c.get('identity'), 'share')
    const { filename, expiresIn } = await readJson(c.env.incoming, newShareSchema)
    const base = baseUrl(c.env.incoming, config)
    const share = await shares.create(account, parseName(filename), expiresIn)
    return c.json(recordOf(share, base), 201)
  })

  app.openapi(listRoute, async (c) => {
    const base = baseUrl(c.env.incoming, config)
    const own = await shares.list(c.get('identity').account)
    return c.json({ shares: own.map((share) => recordOf(share, base)) }, 200)
  })

  app.openapi(revokeRoute, async (c) => {
    const { account } = c.get('identity')
    await shares.revoke(account, c.req.valid('param').id, accountName(account))
    return c.body(null, 204)
  })
  return app
}

/** `/s/TOKEN`: the file of a link, for everybody who has it. */
export function sharedRoutes({ shares, exports, config }: ShareRouteServices) {
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(sharedRoute)
  // Hono asks a GET handler for HEAD too.
  app.get(`${routes.shared}/:token`, async (c) => {
    const { incoming } = c.env
    const { file, identity, account } = await shares.open(c.req.param('token'))
    if (incoming.method === 'HEAD') {
      await file.close()
      return headFile(incoming.headers, file.file)
    }
    const { address } = askerOf(incoming, config.trustProxy)
    // A stop is remembered for the one who was stopped, not for everybody else with the same link.
    const reader = { ...identity, sessionId: `${identity.sessionId} ${address}` }
    return sendFile({ env: c.env, identity: reader, exports, file, account, joins: false }).catch(refuseReader)
  })
  return app
}

/** Whoever has the link is told nothing of the owner's jobs. */
function refuseReader(error: unknown): never {
  if (!(error instanceof Problem) || error.code !== 'job-running') throw error
  throw new Problem('busy', 'This link is being downloaded too often at once: try again later.', { retryAfter: 5 })
}

const createShareRoute = createRoute({
  method: 'post',
  path: routes.shares,
  summary: 'Share a file by a link',
  description: 'The link serves whatever file has that name, until it expires or is revoked.',
  request: { body: { content: { 'application/json': { schema: newShareSchema } } } },
  responses: {
    201: { description: 'The link', content: { 'application/json': { schema: shareSchema } } },
    ...problemResponses(400, 401, 403, 404, 413, 415),
  },
})

const listRoute = createRoute({
  method: 'get',
  path: routes.shares,
  summary: 'List my links',
  responses: {
    200: { description: 'Those that still work', content: { 'application/json': { schema: shareListSchema } } },
    ...problemResponses(400, 401),
  },
})

const revokeRoute = createRoute({
  method: 'delete',
  path: `${routes.shares}/{id}`,
  summary: 'Revoke a link',
  description: 'Downloads by it are stopped.',
  request: { params: z.object({ id: z.string().meta({ description: "the link's id" }) }) },
  responses: { 204: { description: 'Revoked' }, ...problemResponses(401, 404) },
})

const sharedRoute = createRoute({
  method: 'get',
  path: `${routes.shared}/{token}`,
  summary: 'The file of a link',
  description:
    'Each download is an export job of the account `share:ID`, which the owner sees and can stop; 8 at once.',
  request: { params: z.object({ token: z.string() }), headers: downloadHeaders },
  responses: {
    200: { description: 'The file', content: { 'application/octet-stream': { schema: z.any() } } },
    206: { description: 'The range', content: { 'application/octet-stream': { schema: z.any() } } },
    304: { description: 'Not modified' },
    ...problemResponses(400, 404, 409, 412, 416, 503),
  },
})
