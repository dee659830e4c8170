import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import type { Authentication } from '../auth/authentication.js'
import { guard } from '../auth/guard.js'
import { requirePermission } from '../auth/permissions.js'
import type { AppEnv } from '../http/app-env.js'
import { reprDigest } from '../http/digests.js'
import { answerProblem } from '../http/problems.js'
import { checksumAlgorithms, parseBytes, parseMetadata } from '../http/tus-headers.js'
import { uploadRequest } from '../http/upload-request.js'
import type { Log } from '../log.js'
import type { ResumableUploads } from '../transfers/resumable.js'
import type { UploadProgress } from '../transfers/resumable-upload.js'
import { documentTus } from './tus-document.js'
import { describeFile, hasBody, lengthOf, methodOf, pieceOf, preconditionOf } from './tus-requests.js'

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
  documentTus(app, version)
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
    const about = describeFile(parseMetadata(metadata))
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
