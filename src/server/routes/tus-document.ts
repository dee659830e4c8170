import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { routes } from '../../protocol/routes.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'

/** Writes the requests of tus into the API document: they are plain routes, since no schema describes their bodies. */
export function documentTus(app: OpenAPIHono<AppEnv>, version: string): void {
  const tusResumable = z.literal(version).meta({ description: 'the version of tus' })
  const headers = z.looseObject({ 'Tus-Resumable': tusResumable })
  const body = { content: { 'application/offset+octet-stream': { schema: z.any() } } }
  const params = z.object({ id: z.string() })
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: routes.tus,
    summary: 'Begin a resumable upload (tus 1.0.0)',
    request: { headers, body: { ...body, required: false } },
    responses: {
      201: { description: 'Begun; `Location` is where it goes on' },
      ...problemResponses(400, 401, 403, 409, 412, 413, 415, 422, 460, 507),
    },
  })
  const path = `${routes.tus}/{id}`
  app.openAPIRegistry.registerPath({
    method: 'head',
    path,
    summary: 'How far a resumable upload is',
    request: { headers, params },
    responses: {
      200: { description: '`Upload-Offset` bytes are on disk' },
      // A HEAD is answered without a body: the status has to say it all.
      401: { description: 'Not logged in' },
      404: { description: 'There is no such upload' },
      410: { description: 'The upload has ended or expired' },
      412: { description: 'Another version of tus' },
      423: { description: 'The upload was stopped a moment ago' },
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'patch',
    path,
    summary: 'Go on with a resumable upload',
    request: { headers, params, body },
    responses: {
      204: { description: 'Appended; with the last bytes, published' },
      ...problemResponses(400, 401, 404, 408, 409, 410, 412, 413, 415, 422, 460, 507),
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'delete',
    path,
    summary: 'Stop a resumable upload',
    request: { headers, params },
    responses: { 204: { description: 'Stopped; nothing is left of it' }, ...problemResponses(401, 404, 410, 412) },
  })
}
