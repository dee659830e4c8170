import { OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import type { Authentication } from '../auth/authentication.js'
import { guard } from '../auth/guard.js'
import { requirePermission } from '../auth/permissions.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { parseReprDigest, reprDigest } from '../http/digests.js'
import { parseName } from '../http/names.js'
import { answerProblem } from '../http/problems.js'
import { parseEntityTags } from '../http/ranges.js'
import { checksumAlgorithms, parseBytes, parseChecksum, parseMetadata } from '../http/tus-headers.js'
import { uploadRequest } from '../http/upload-request.js'
import type { Log } from '../log.js'
import type { ResumableUploads } from '../transfers/resumable.js'
import type { UploadProgress } from '../transfers/resumable-upload.js'

export interface TusServices {
  resumable: ResumableUploads
  config: { maxFileSize: number | null }
  log: Log
  authentication: Authentication
  /** The media type that a name promises. */
  mediaTypeOf(name: string): string
}

/**
 * `/tus`: resumable uploads by tus 1.0.0 (https://tus.io/protocols/resumable-upload), with the extensions creation,
 * creation-with-upload, creation-defer-length, checksum, expiration and termination.
 */
export function tusRoutes({ resumable, config, log, authentication, mediaTypeOf }: TusServices) {
  const app = new OpenAPIHono<AppEnv>({ strict: false })
  document(app)
  app.onError((error, c) => answerProblem(error, c, log, statuses))

  const speakTus: MiddlewareHandler<AppEnv> = async (c, next) => {
    const { outgoing } = c.env
    // tus: "The Tus-Resumable header MUST be included in every request and response except for OPTIONS requests."
    outgoing.setHeader('Tus-Resumable', version)
    if (c.req.method === 'OPTIONS') {
      outgoing.setHeader('Tus-Version', version)
      outgoing.setHeader('Tus-Extension', extensions.join(','))
      outgoing.setHeader('Tus-Checksum-Algorithm', checksumAlgorithms.join(','))
      if (config.maxFileSize !== null) outgoing.setHeader('Tus-Max-Size', String(config.maxFileSize))
      return c.body(null, 204)
    }
    if (c.req.header('tus-resumable') === version) return next()
    // tus: "the Server MUST respond with the 412 Precondition Failed status and MUST include the Tus-Version header".
    outgoing.setHeader('Tus-Version', version)
    throw new Problem('precondition-failed', `Tus-Resumable: this server speaks tus ${version} only.`)
  }
  app.use(`${routes.tus}/*`, speakTus)
  app.use(`${routes.tus}/*`, guard(authentication))

  app.all(routes.tus, async (c) => {
    const method = methodOf(c)
    if (method !== 'POST') throw notAllowed(method, 'POST')
    requirePermission(c.get('identity'), 'upload')
    return create(c)
  })

  app.all(`${routes.tus}/:id`, async (c) => {
    const id = c.req.param('id').toLowerCase()
    try {
      return await answer(c, id)
    } catch (error) {
      const isKnown = !(error instanceof Problem && error.code === 'upload-not-found')
      if (isKnown) c.env.outgoing.setHeader(jobHeader, id)
      throw error
    }
  })

  async function answer(c: Context<AppEnv>, id: string): Promise<Response> {
    const { account } = c.get('identity')
    const method = methodOf(c)
    switch (method) {
      case 'HEAD': {
        const progress = await resumable.look(id, account)
        return c.body(null, 200, { ...headersOf(progress), ...wholeOf(progress), 'Cache-Control': 'no-store' })
      }
      case 'PATCH':
        return append(c, id)
      case 'DELETE':
        await resumable.stop(id, account)
        return c.body(null, 204, { [jobHeader]: id })
      default:
        throw notAllowed(method, 'HEAD, PATCH or DELETE')
    }
  }

  async function create(c: Context<AppEnv>): Promise<Response> {
    const { incoming } = c.env
    const metadata = c.req.header('upload-metadata')
    const about = describe(parseMetadata(metadata))
    if (c.req.header('upload-concat') !== undefined) {
      throw new Problem('invalid-request', 'Upload-Concat: this server does not put uploads together.', {
        field: 'Upload-Concat',
      })
    }
    const { request, done } = uploadRequest(c.env, c.get('identity'))
    try {
      const progress = await resumable.create({
        ...request,
        ...about,
        type: about.type ?? mediaTypeOf(about.name),
        length: lengthOf(c),
        metadata: metadata ?? '',
        precondition: preconditionOf(c),
        first: hasBody(c) ? { body: incoming, ...pieceOf(c) } : null,
      })
      const location = `${routes.tus}/${progress.id}`
      return c.body(null, 201, { Location: location, 'Content-Length': '0', ...headersOf(progress) })
    } finally {
      done()
    }
  }

  async function append(c: Context<AppEnv>, id: string): Promise<Response> {
    const { incoming } = c.env
    const offset = parseBytes(c.req.header('upload-offset'), 'Upload-Offset')
    if (offset === null) {
      throw new Problem('invalid-request', 'Upload-Offset: say where the bytes begin.', { field: 'Upload-Offset' })
    }
    const { request, done } = uploadRequest(c.env, c.get('identity'))
    try {
      const length = parseBytes(c.req.header('upload-length'), 'Upload-Length')
      const piece = { ...request, ...pieceOf(c), offset, length, body: incoming }
      return c.body(null, 204, headersOf(await resumable.append(id, request.identity.account, piece)))
    } finally {
      done()
    }
  }
  return app
}

const version = '1.0.0'

const extensions = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'checksum',
  'expiration',
  'termination',
] as const

/** Clients of tus take 409 for "ask for the offset and try again", which is wrong for what has ended. */
const statuses = { 'job-stopped': 410, 'already-published': 410 } as const

/** tus: "if the X-HTTP-Method-Override header is presented, the actual method of the request MUST be ignored." */
function methodOf(c: Context<AppEnv>): string {
  return (c.req.header('x-http-method-override') ?? c.env.incoming.method ?? '').toUpperCase()
}

function notAllowed(method: string, allowed: string): Problem {
  return new Problem('method-not-allowed', `${method} means nothing here: use ${allowed}.`)
}

function headersOf({ id, offset, expiresAt, published }: UploadProgress): Record<string, string> {
  return {
    'Upload-Offset': String(offset),
    ...(expiresAt === null ? {} : { 'Upload-Expires': expiresAt.toUTCString() }),
    ...(published === null ? {} : { ETag: published.entityTag }),
    ...(published?.sha256 ? { 'Repr-Digest': reprDigest(published.sha256) } : {}),
    [jobHeader]: id,
  }
}

function wholeOf({ length, metadata }: UploadProgress): Record<string, string> {
  return {
    ...(length === null ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }),
    ...(metadata === '' ? {} : { 'Upload-Metadata': metadata }),
  }
}

function describe(metadata: Map<string, string>): { name: string; type: string | null; sha256: string | null } {
  const name = metadata.get('filename')
  if (name === undefined) throw wrongMetadata('filename is missing')
  const type = metadata.get('filetype') || null
  if (type !== null && !/^[\x20-\x7e]{1,255}$/.test(type)) throw wrongMetadata('filetype is not a media type')
  const sha256 = metadata.get('sha256')?.toLowerCase() ?? null
  if (sha256 !== null && !/^[0-9a-f]{64}$/.test(sha256)) throw wrongMetadata('sha256 is not 64 hexadecimal digits')
  return { name: parseName(name), type, sha256 }
}

function wrongMetadata(why: string): Problem {
  return new Problem('invalid-request', `Upload-Metadata: ${why}.`, { field: 'Upload-Metadata' })
}

/** tus: "The value of the Upload-Defer-Length header MUST be 1"; either it or Upload-Length is there. */
function lengthOf(c: Context<AppEnv>): number | null {
  const length = parseBytes(c.req.header('upload-length'), 'Upload-Length')
  const deferred = c.req.header('upload-defer-length')
  const field = 'Upload-Defer-Length'
  if (deferred !== undefined && deferred !== '1') throw new Problem('invalid-request', `${field}: only 1.`, { field })
  if ((length === null) === (deferred === undefined)) {
    throw new Problem('invalid-request', `Say either Upload-Length or ${field}.`, { field: 'Upload-Length' })
  }
  return length
}

function preconditionOf(c: Context<AppEnv>) {
  const ifMatch = parseEntityTags(c.req.header('if-match'))
  const ifNoneMatch = parseEntityTags(c.req.header('if-none-match'))
  if (ifNoneMatch && ifNoneMatch !== '*') {
    throw new Problem('invalid-request', 'If-None-Match: only "*" makes sense here.', { field: 'If-None-Match' })
  }
  return { ...(ifMatch ? { ifMatch } : {}), ...(ifNoneMatch ? { ifNoneMatch } : {}) }
}

function hasBody(c: Context<AppEnv>): boolean {
  const { headers } = c.env.incoming
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function pieceOf(c: Context<AppEnv>) {
  const { headers } = c.env.incoming
  // tus: "All PATCH requests MUST use Content-Type: application/offset+octet-stream, otherwise … 415".
  if (headers['content-type'] !== 'application/offset+octet-stream') {
    throw new Problem('unsupported-media-type', 'Send the bytes as "Content-Type: application/offset+octet-stream".')
  }
  const size = headers['content-length']
  return {
    bodySize: size === undefined ? (headers['transfer-encoding'] === undefined ? 0 : null) : Number(size),
    sha256: parseReprDigest(headers['repr-digest'] as string | undefined),
    checksum: parseChecksum(headers['upload-checksum'] as string | undefined),
  }
}

function document(app: OpenAPIHono<AppEnv>): void {
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
