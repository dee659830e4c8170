import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { routes } from '../../protocol/routes.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import {
  type FileListServices,
  listingQuery,
  listingResponse,
  listingWords,
  sendListing,
} from './responses/file-listing.js'

/** `GET /files`: the files of the account. */
export function fileListRoutes(services: FileListServices) {
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(listRoute)
  app.get(routes.files, (c) => sendListing(c, services, c.get('identity').account))
  return app
}

const listRoute = createRoute({
  method: 'get',
  path: routes.files,
  summary: 'List my files, sorted by name',
  description: listingWords,
  request: { query: listingQuery },
  responses: { 200: listingResponse, ...problemResponses(400, 401, 404, 409) },
})
