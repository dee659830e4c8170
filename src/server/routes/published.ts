import { OpenAPIHono, z } from '@hono/zod-openapi'
import { fileListSchema } from '../../protocol/files.js'
import { routes } from '../../protocol/routes.js'
import { guard, type Identifier } from '../auth/guard.js'
import { permissions } from '../auth/permissions.js'
import { getPublisher } from '../auth/publishers.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { filePageQuery, listPage } from '../http/file-pages.js'
import { publishedFromTarget } from '../http/names.js'
import { downloadHeaders } from '../http/request-headers.js'
import { sendPublished } from '../http/send-published.js'
import type { AccountStore } from '../stores/accounts.js'
import type { FileStore } from '../stores/files.js'
import type { Exports } from '../transfers/exports.js'

export interface PublishedServices {
  authentication: Identifier
  accounts: Pick<AccountStore, 'find'>
  files: FileStore
  exports: Exports
}

/** `/published/OPS` lists what an ops account publishes, `/published/OPS/NAME` is such a file: for clients. */
export function publishedRoutes({ authentication, accounts, files, exports }: PublishedServices) {
  const app = new OpenAPIHono<AppEnv>()
  document(app)
  app.use(`${routes.published}/*`, guard(authentication, permissions.readPublished))

  app.get(`${routes.published}/*`, async (c) => {
    // By the raw target, because the router has folded `..` away.
    const { ops, name } = publishedFromTarget(c.env.incoming.url ?? '', `${routes.published}/`)
    const publisher = await getPublisher(accounts, ops)
    if (name === null) return c.json(await listPage(files, publisher, c.req.query()), 200)
    return sendPublished({ files, exports }, { env: c.env, identity: c.get('identity'), publisher, name })
  })
  return app
}

/** Told by hand, since names have slashes. */
function document(app: OpenAPIHono<AppEnv>): void {
  const ops = z.string().meta({ description: 'the username of the ops account', example: 'depot' })
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: `${routes.published}/{ops}`,
    summary: 'List what an ops account publishes, sorted by name (client)',
    request: { params: z.object({ ops }), query: filePageQuery },
    responses: {
      200: { description: 'A page of files', content: { 'application/json': { schema: fileListSchema } } },
      ...problemResponses(400, 401, 403, 404),
    },
  })
  const params = z.object({ ops, name: z.string().meta({ description: 'percent-encoded, slashes kept' }) })
  app.openAPIRegistry.registerPath({
    method: 'head',
    path: `${routes.published}/{ops}/{name}`,
    summary: "A published file's length, entity tag and digest (client)",
    request: { params },
    responses: {
      200: { description: 'The headers of the whole file' },
      304: { description: 'Not modified' },
      // A HEAD is answered without a body: the status has to say it all.
      400: { description: 'The name is not valid' },
      401: { description: 'Not logged in' },
      403: { description: 'Not a client' },
      404: { description: 'There is no such ops account, or no such file' },
      412: { description: 'A condition of the request does not hold' },
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: `${routes.published}/{ops}/{name}`,
    summary: 'Export a published file, or a range of it (client)',
    request: { headers: downloadHeaders, params },
    responses: {
      200: { description: 'The file', content: { 'application/octet-stream': { schema: z.any() } } },
      206: { description: 'The range', content: { 'application/octet-stream': { schema: z.any() } } },
      304: { description: 'Not modified' },
      ...problemResponses(400, 401, 403, 404, 409, 412, 416),
    },
  })
}
