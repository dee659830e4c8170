import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { fileSchema, moveSchema } from '../../protocol/files.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import type { AppEnv } from '../routing/app-env.js'
import { answerHeaders } from './answer-headers.js'
import { fileResponses, headResponses, problemResponses } from './answers.js'
import { binaryContent } from './binary-body.js'
import { changeHeaders, conditionHeaders, downloadHeaders, downloadQuery, uploadHeaders } from './request-headers.js'

/** Byte routes are wildcards, because names have slashes: they are registered in the API document separately. */
export function describeFileOperations(app: OpenAPIHono<AppEnv>): void {
  const path = `${routes.files}/{name}`
  const request = { params: z.object({ name: z.string().meta({ description: 'percent-encoded, slashes kept' }) }) }
  const record = {
    headers: answerHeaders('ETag', 'Repr-Digest', jobHeader),
    content: { 'application/json': { schema: fileSchema } },
  }
  app.openAPIRegistry.registerPath({
    method: 'put',
    path,
    summary: 'Upload a file as the raw body',
    request: { ...request, headers: uploadHeaders, body: { content: binaryContent } },
    responses: {
      200: { description: 'Replaced, or there already with the same digest', ...record },
      201: { description: 'Created', ...record },
      ...problemResponses(400, 401, 403, 408, 409, 412, 413, 415, 422, 507),
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'get',
    path,
    summary: 'Export a file, or a range of it',
    request: { ...request, headers: downloadHeaders, query: downloadQuery },
    responses: {
      ...fileResponses,
      ...problemResponses(400, 401, 404, 409, 412, 416),
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'head',
    path,
    summary: "A file's length, entity tag and digest",
    request: { ...request, headers: conditionHeaders },
    responses: {
      ...headResponses,
      // A HEAD is answered without a body: the status has to say it all.
      400: { description: 'The name is not valid' },
      401: { description: 'Not logged in' },
      404: { description: 'There is no such file' },
      412: { description: 'A condition of the request does not hold' },
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'delete',
    path,
    summary: 'Remove a file',
    request: { ...request, headers: changeHeaders },
    responses: { 204: { description: 'Removed' }, ...problemResponses(400, 401, 404, 412) },
  })
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: `${path}/move`,
    summary: 'Rename a file or a folder',
    description: 'If `to` ends with a slash, the folder of this name moves there, in one step, with everything in it.',
    request: {
      ...request,
      headers: changeHeaders,
      body: { content: { 'application/json': { schema: moveSchema } } },
    },
    responses: { 204: { description: 'Renamed' }, ...problemResponses(400, 401, 403, 404, 409, 412) },
  })
}
