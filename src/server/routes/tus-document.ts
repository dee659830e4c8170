import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { jobHeader, routes } from '../../protocol/routes.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { problemResponses } from '../openapi/answers.js'
import { binarySchema } from '../openapi/binary-body.js'
import { tusChunkHeaders, tusCreationHeaders, tusHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'

/** Adds the requests of tus to the API document: they are plain routes, because no schema describes their bodies. */
export function documentTus(app: OpenAPIHono<AppEnv>): void {
  const body = { content: { 'application/offset+octet-stream': { schema: binarySchema } } }
  const params = z.object({ id: z.string().meta({ description: "the job's id, with which `Location` ends" }) })
  const progress = answerHeaders('Upload-Offset', 'Upload-Expires', 'ETag', 'Repr-Digest', jobHeader)
  app.openAPIRegistry.registerPath({
    method: 'options',
    path: routes.tus,
    operationId: 'getTusCapabilities',
    security: [],
    summary: 'What this server can do of tus',
    responses: {
      204: {
        description: 'The headers say it',
        headers: answerHeaders('Allow', 'Tus-Version', 'Tus-Extension', 'Tus-Checksum-Algorithm', 'Tus-Max-Size'),
      },
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: routes.tus,
    summary: 'Begin a resumable upload (tus 1.0.0)',
    request: { headers: tusCreationHeaders, body: { ...body, required: false } },
    responses: {
      201: {
        description: 'Created; `Location` is the URL of the upload',
        headers: { ...answerHeaders('Location'), ...progress },
      },
      ...problemResponses(400, 401, 403, 409, 412, 413, 415, 422, 423, 460, 503, 507),
    },
  })
  const path = `${routes.tus}/{id}`
  app.openAPIRegistry.registerPath({
    method: 'head',
    path,
    summary: 'How far a resumable upload is',
    request: { headers: tusHeaders, params },
    responses: {
      200: {
        description: '`Upload-Offset` bytes are on disk',
        headers: { ...progress, ...answerHeaders('Upload-Length', 'Upload-Defer-Length', 'Upload-Metadata') },
      },
      // A HEAD has no response body: the status must be specific.
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
    request: { headers: tusChunkHeaders, params, body },
    responses: {
      204: { description: 'Appended; with the last bytes, published', headers: progress },
      ...problemResponses(400, 401, 404, 408, 409, 410, 412, 413, 415, 422, 423, 460, 507),
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'delete',
    path,
    summary: 'Stop a resumable upload',
    request: { headers: tusHeaders, params },
    responses: {
      204: { description: 'Stopped; nothing is left of it', headers: answerHeaders(jobHeader) },
      ...problemResponses(401, 404, 410, 412),
    },
  })
}
