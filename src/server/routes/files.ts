import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { fileListSchema, fileSchema, moveSchema } from '../../protocol/files.js'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { requirePermission } from '../auth/permissions.js'
import { fileRecord, problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { parseReprDigest, reprDigest } from '../http/digests.js'
import { filePageQuery, listPage } from '../http/file-pages.js'
import { readJson } from '../http/json-body.js'
import { nameFromTarget, parseName } from '../http/names.js'
import { parseEntityTags } from '../http/ranges.js'
import { downloadHeaders, uploadHeaders } from '../http/request-headers.js'
import { headFile, sendFile } from '../http/send-file.js'
import { uploadRequest } from '../http/upload-request.js'
import type { FileStore, Precondition } from '../stores/files.js'
import type { Exports } from '../transfers/exports.js'
import type { Uploads } from '../transfers/uploads.js'

export interface FileServices {
  files: FileStore
  uploads: Uploads
  exports: Exports
  /** The media type that a name promises. */
  mediaTypeOf(name: string): string
}

/** `/files` lists; `/files/NAME` is a file: PUT, GET, HEAD, DELETE, and POST to `/files/NAME/move`. */
export function fileRoutes({ files, uploads, exports, mediaTypeOf }: FileServices) {
  const app = new OpenAPIHono<AppEnv>()
  const byName = `${routes.files}/*`
  document(app)

  app.openapi(listRoute, async (c) => {
    return c.json(await listPage(files, c.get('identity').account, c.req.query()), 200)
  })

  app.put(byName, async (c) => {
    const { incoming } = c.env
    requirePermission(c.get('identity'), 'upload')
    const name = nameOf(c)
    if (incoming.headers['content-range'] !== undefined) {
      // RFC 9110 section 14.5: a server that does not support it must not take a part for the whole.
      throw new Problem('invalid-request', 'Content-Range: a PUT replaces the whole file; resume by /tus instead.', {
        field: 'Content-Range',
      })
    }
    const length = incoming.headers['content-length']
    const { request, done } = uploadRequest(c.env, c.get('identity'))
    try {
      const { file, created, job } = await uploads.receiveFile({
        ...request,
        name,
        type: incoming.headers['content-type'] || mediaTypeOf(name),
        body: incoming,
        size: length === undefined ? (incoming.headers['transfer-encoding'] === undefined ? 0 : null) : Number(length),
        sha256: parseReprDigest(incoming.headers['repr-digest'] as string | undefined),
        precondition: preconditionOf(c),
      })
      return c.json(fileRecord(file), created ? 201 : 200, {
        ETag: file.entityTag,
        ...(file.sha256 === null ? {} : { 'Repr-Digest': reprDigest(file.sha256) }),
        ...(job ? { [jobHeader]: job.id } : {}),
      })
    } finally {
      done()
    }
  })

  // Hono asks a GET handler for HEAD too.
  app.get(byName, async (c) => {
    const identity = c.get('identity')
    const name = nameOf(c)
    if (c.env.incoming.method === 'HEAD') {
      const file = await files.find(identity.account, name)
      if (!file) throw notFound(name)
      return headFile(c.env.incoming.headers, file)
    }
    const file = await files.open(identity.account, name)
    if (!file) throw notFound(name)
    return sendFile({ env: c.env, identity, exports, file })
  })

  app.delete(byName, async (c) => {
    const name = nameOf(c)
    const removed = await files.remove(c.get('identity').account, name, preconditionOf(c))
    if (!removed) throw notFound(name)
    return c.body(null, 204)
  })

  app.post(byName, async (c) => {
    const target = (c.env.incoming.url ?? '').replace(/[?#].*$/s, '')
    if (!target.endsWith('/move')) {
      throw new Problem('method-not-allowed', 'Upload with PUT, or rename with POST to /files/NAME/move.')
    }
    requirePermission(c.get('identity'), 'upload')
    const from = nameFromTarget(target.slice(0, -'/move'.length), `${routes.files}/`)
    const { to } = await readJson(c.env.incoming, moveSchema)
    await files.move(c.get('identity').account, from, parseName(to))
    return c.body(null, 204)
  })
  return app
}

const listRoute = createRoute({
  method: 'get',
  path: routes.files,
  summary: 'List my files, sorted by name',
  request: { query: filePageQuery },
  responses: {
    200: { description: 'A page of files', content: { 'application/json': { schema: fileListSchema } } },
    ...problemResponses(400, 401),
  },
})

function nameOf(c: Context<AppEnv>): string {
  return nameFromTarget(c.env.incoming.url ?? '', `${routes.files}/`)
}

function preconditionOf(c: Context<AppEnv>): Precondition {
  const ifMatch = parseEntityTags(c.req.header('if-match'))
  const ifNoneMatch = parseEntityTags(c.req.header('if-none-match'))
  if (ifNoneMatch && ifNoneMatch !== '*') {
    throw new Problem('invalid-request', 'If-None-Match: only "*" makes sense here.', { field: 'If-None-Match' })
  }
  return { ...(ifMatch ? { ifMatch } : {}), ...(ifNoneMatch ? { ifNoneMatch } : {}) }
}

function notFound(name: string): Problem {
  return new Problem('file-not-found', `There is no file "${name}".`, { name })
}

/** Byte routes are wildcards, since names have slashes: the API document is told of them here. */
function document(app: OpenAPIHono<AppEnv>): void {
  const path = `${routes.files}/{name}`
  const request = { params: z.object({ name: z.string().meta({ description: 'percent-encoded, slashes kept' }) }) }
  const bytes = { 'application/octet-stream': { schema: z.any() } }
  const record = { content: { 'application/json': { schema: fileSchema } } }
  app.openAPIRegistry.registerPath({
    method: 'put',
    path,
    summary: 'Upload a file as the raw body',
    request: { ...request, headers: uploadHeaders, body: { content: bytes } },
    responses: {
      200: { description: 'Replaced, or there already with the same digest', ...record },
      201: { description: 'Created', ...record },
      ...problemResponses(400, 401, 403, 408, 409, 412, 413, 422, 507),
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'get',
    path,
    summary: 'Export a file, or a range of it',
    request: { ...request, headers: downloadHeaders },
    responses: {
      200: { description: 'The file', content: bytes },
      206: { description: 'The range', content: bytes },
      304: { description: 'Not modified' },
      ...problemResponses(400, 401, 404, 409, 412, 416),
    },
  })
  app.openAPIRegistry.registerPath({
    method: 'head',
    path,
    summary: "A file's length, entity tag and digest",
    request,
    responses: {
      200: { description: 'The headers of the whole file' },
      304: { description: 'Not modified' },
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
    request,
    responses: { 204: { description: 'Removed' }, ...problemResponses(400, 401, 404, 412) },
  })
  app.openAPIRegistry.registerPath({
    method: 'post',
    path: `${path}/move`,
    summary: 'Rename a file',
    request: { ...request, body: { content: { 'application/json': { schema: moveSchema } } } },
    responses: { 204: { description: 'Renamed' }, ...problemResponses(400, 401, 403, 404, 409, 412) },
  })
}
