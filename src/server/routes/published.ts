import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { exportManySchema } from '../../protocol/files.js'
import { publisherListSchema } from '../../protocol/publishers.js'
import { routes } from '../../protocol/routes.js'
import { getPublisher, listPublishers, publishedName } from '../auth/publishers.js'
import { archiveAnswer, fileResponses, headResponses, preparedAnswer, problemResponses } from '../openapi/answers.js'
import { conditionHeaders, downloadHeaders, downloadQuery, transferHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'
import type { AccountStore } from '../stores/accounts.js'
import type { PublishedFiles } from '../stores/files.js'
import type { Folders } from '../stores/folders.js'
import type { Exports } from '../transfers/exports.js'
import type { Previews } from '../transfers/previews.js'
import { readJson } from './bodies/json-body.js'
import { publishedFromTarget } from './headers/names.js'
import { listingQuery, listingResponse, listingWords, sendListing } from './responses/file-listing.js'
import { sendPublished } from './responses/send-published.js'
import { maxNamesBytes, type SelectionServices, sendSelection } from './responses/send-selection.js'

export interface PublishedServices extends SelectionServices {
  accounts: Pick<AccountStore, 'find' | 'list'>
  files: Pick<PublishedFiles, 'find' | 'list' | 'listEmptyFolders' | 'open'>
  folderStore: Pick<Folders, 'list' | 'records'>
  exports: Exports
  previews: Previews
}

/** `/published` lists the ops accounts, `/published/OPS` lists the files of an ops account, `/published/OPS/NAME` is one of them: for clients. */
export function publishedRoutes(services: PublishedServices) {
  const { accounts, files, folderStore, exports } = services
  const app = new OpenAPIHono<AppEnv>()
  document(app)

  app.openapi(publishersRoute, async (c) => {
    const publishers = (await listPublishers(accounts)).map(({ username, name }) => ({ username, name }))
    return c.json({ publishers }, 200)
  })

  app.on('GET', [`${routes.published}/:ops`, `${routes.published}/:ops/*`], async (c) => {
    // By the raw target, because the router has folded `..` away.
    const { ops, name } = publishedFromTarget(c.env.incoming.url ?? '', `${routes.published}/`)
    const publisher = await getPublisher(accounts, ops)
    if (name === null) return sendListing(c, { files, folderStore }, publisher)
    const previews = c.req.query('preview') === undefined ? undefined : services.previews
    return sendPublished({ files, exports }, { env: c.env, identity: c.get('identity'), publisher, name, previews })
  })

  app.post(`${routes.published}/:ops`, async (c) => {
    const publisher = await getPublisher(accounts, c.req.param('ops'))
    const wanted = await readJson(c.env.incoming, exportManySchema, maxNamesBytes)
    return sendSelection(c, services, {
      wanted,
      space: publisher,
      jobName: (folder) => publishedName(publisher, folder),
    })
  })
  return app
}

const publishersRoute = createRoute({
  method: 'get',
  path: routes.published,
  summary: 'List the ops accounts, whose files clients read (client)',
  responses: {
    200: { description: 'The publishers', content: { 'application/json': { schema: publisherListSchema } } },
    ...problemResponses(401, 403),
  },
})

/** Documented by hand, because names contain slashes. */
function document(app: OpenAPIHono<AppEnv>): void {
  const ops = z.string().meta({ description: 'the username of the ops account', example: 'depot' })
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: `${routes.published}/{ops}`,
    summary: 'List what an ops account publishes, sorted by name (client)',
    description: listingWords,
    request: { params: z.object({ ops }), query: listingQuery },
    responses: { 200: listingResponse, ...problemResponses(400, 401, 403, 404, 409) },
  })
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: `${routes.published}/{ops}`,
    summary: 'Export an archive of published files (client)',
    description:
      'Several files and folders as one archive, which has no ranges. With `prepare`, the job of that archive.',
    request: {
      params: z.object({ ops }),
      headers: transferHeaders,
      body: { content: { 'application/json': { schema: exportManySchema } } },
    },
    responses: { 200: archiveAnswer, 201: preparedAnswer, ...problemResponses(400, 401, 403, 404, 409, 415) },
  })
  const params = z.object({ ops, name: z.string().meta({ description: 'percent-encoded, slashes kept' }) })
  app.openAPIRegistry.registerPath({
    method: 'head',
    path: `${routes.published}/{ops}/{name}`,
    summary: "A published file's length, entity tag and digest (client)",
    request: { params, headers: conditionHeaders },
    responses: {
      ...headResponses,
      // A HEAD has no response body: the status must be specific.
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
    request: { headers: downloadHeaders, query: downloadQuery, params },
    responses: {
      ...fileResponses,
      ...problemResponses(400, 401, 403, 404, 409, 412, 416),
    },
  })
}
