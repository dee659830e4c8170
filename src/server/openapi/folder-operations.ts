import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { routes } from '../../protocol/routes.js'
import type { AppEnv } from '../routing/app-env.js'
import { problemResponses } from './answers.js'
import { changeHeaders } from './request-headers.js'

/** Folders are wildcards, because names have slashes: they are registered in the API document separately. */
export function describeFolderOperations(app: OpenAPIHono<AppEnv>): void {
  const path = `${routes.files}/{folder}/`
  const folder = z.string().meta({ description: 'percent-encoded, slashes kept' })
  const request = { params: z.object({ folder }), headers: changeHeaders }
  app.openAPIRegistry.registerPath({
    method: 'put',
    path,
    summary: 'Create a folder',
    description: 'The body is empty. The folder is kept while it is empty, until it is removed.',
    request,
    responses: {
      201: { description: 'Created' },
      204: { description: 'There already; kept from now on' },
      ...problemResponses(400, 401, 403, 409, 412, 507),
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'delete',
    path,
    summary: 'Remove a folder with everything in it',
    description:
      'One step, whatever it holds. Its bytes are free when this is answered; the disk frees them afterwards.',
    request: {
      ...request,
      query: z.object({ empty: z.enum(['true']).optional().meta({ description: 'only if there is nothing in it' }) }),
    },
    responses: { 204: { description: 'Removed' }, ...problemResponses(400, 401, 404, 409, 412) },
  })
}
