import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { openRequestSchema, sentFileSchema, sentFilesSchema } from '../../protocol/file-requests.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { linkPasswordSchema } from '../../protocol/shares.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { problemResponses } from '../openapi/answers.js'
import { binaryContent, binarySchema } from '../openapi/binary-body.js'
import { linkUploadHeaders, tusChunkHeaders, tusHeaders, tusLinkCreationHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'

/** Adds the requests of a link for uploads to the API document: most are plain routes, because no schema describes their bodies. */
export function documentOpenRequest(app: OpenAPIHono<AppEnv>): void {
  const { openAPIRegistry } = app
  const path = `${routes.request}/{token}`
  const params = z.object({ token: z.string().meta({ description: 'the last part of the link' }) })
  openAPIRegistry.registerPath({
    method: 'get',
    path,
    summary: 'What a link for uploads takes',
    description:
      'Browsers (`Accept: text/html`) get a page that sends files. A link with a password takes it as that of HTTP Basic, with any ' +
      'username, in every request.',
    request: { params },
    responses: {
      200: {
        description: 'It takes files',
        content: { 'application/json': { schema: openRequestSchema }, 'text/html': { schema: z.string() } },
      },
      ...problemResponses(401, 404, 410, 429, 503),
    },
  })
  openAPIRegistry.registerPath({
    method: 'post',
    path,
    summary: 'Send files by form, or the password of the link',
    description:
      'The form of the page. A password sets a cookie that is valid for four hours, for this link only. Files are one job, and ' +
      'published once all have arrived.',
    request: {
      params,
      body: {
        content: {
          'multipart/form-data': { schema: z.object({ file: z.array(binarySchema) }) },
          'application/x-www-form-urlencoded': { schema: linkPasswordSchema },
        },
      },
    },
    responses: {
      201: {
        description: 'Published',
        headers: answerHeaders(jobHeader),
        content: { 'application/json': { schema: sentFilesSchema } },
      },
      303: {
        description: 'The password is right, or there is none: the page of the link',
        headers: answerHeaders('Location', 'Set-Cookie'),
      },
      ...problemResponses(400, 401, 403, 404, 408, 409, 410, 413, 415, 422, 429, 503, 507),
    },
  })
  openAPIRegistry.registerPath({
    method: 'put',
    path: `${path}/{name}`,
    summary: 'Send a file as the raw body',
    description:
      'Each upload is a job of the account `request:ID`, which the owner sees, limits and stops; eight run at once, and more wait. ' +
      'It replaces no file: where the name is taken, it gets a number.',
    request: {
      params: params.extend({ name: z.string().meta({ description: 'percent-encoded, slashes kept' }) }),
      headers: linkUploadHeaders,
      body: { content: binaryContent },
    },
    responses: {
      201: {
        description: 'Published',
        headers: answerHeaders('Repr-Digest', jobHeader),
        content: { 'application/json': { schema: sentFileSchema } },
      },
      ...problemResponses(400, 401, 403, 404, 408, 409, 410, 413, 415, 422, 429, 503, 507),
    },
  })
  documentTusOfRequest(app, `${path}/tus`, params)
}

function documentTusOfRequest(app: OpenAPIHono<AppEnv>, path: string, params: z.ZodObject<{ token: z.ZodString }>) {
  const { openAPIRegistry } = app
  const body = { content: { 'application/offset+octet-stream': { schema: binarySchema } } }
  const ofUpload = params.extend({ id: z.string().meta({ description: "the job's id, with which `Location` ends" }) })
  const progress = answerHeaders('Upload-Offset', 'Upload-Expires', 'ETag', 'Repr-Digest', jobHeader)
  openAPIRegistry.registerPath({
    method: 'post',
    path,
    summary: 'Begin to send a file, resumably (tus 1.0.0)',
    request: { params, headers: tusLinkCreationHeaders, body: { ...body, required: false } },
    responses: {
      201: {
        description: 'Created; `Location` is the URL of the upload',
        headers: { ...answerHeaders('Location'), ...progress },
      },
      ...problemResponses(400, 401, 403, 404, 409, 410, 412, 413, 415, 422, 423, 429, 460, 503, 507),
    },
  })
  openAPIRegistry.registerPath({
    method: 'head',
    path: `${path}/{id}`,
    summary: 'How far it is',
    request: { params: ofUpload, headers: tusHeaders },
    responses: {
      200: {
        description: '`Upload-Offset` bytes are on disk',
        headers: { ...progress, ...answerHeaders('Upload-Length', 'Upload-Defer-Length', 'Upload-Metadata') },
      },
      // A HEAD has no response body: the status must be specific.
      401: { description: 'The link needs a password' },
      404: { description: 'There is no such upload, or link' },
      410: { description: 'The upload has ended or expired, or the link was revoked' },
      412: { description: 'Another version of tus' },
      423: { description: 'The upload was stopped a moment ago' },
    },
  })
  openAPIRegistry.registerPath({
    method: 'patch',
    path: `${path}/{id}`,
    summary: 'Go on with it',
    request: { params: ofUpload, headers: tusChunkHeaders, body },
    responses: {
      204: { description: 'Appended; with the last bytes, published', headers: progress },
      ...problemResponses(400, 401, 403, 404, 408, 409, 410, 412, 413, 415, 422, 423, 429, 460, 503, 507),
    },
  })
  openAPIRegistry.registerPath({
    method: 'delete',
    path: `${path}/{id}`,
    summary: 'Stop it',
    request: { params: ofUpload, headers: tusHeaders },
    responses: {
      204: { description: 'Stopped; nothing is left of it', headers: answerHeaders(jobHeader) },
      ...problemResponses(401, 403, 404, 410, 412, 429),
    },
  })
}
