import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { hasBody } from '../http/lingering-response.js'
import type { Log } from '../log.js'
import type { AppEnv } from '../routing/app-env.js'
import type { ResumableUploads } from '../transfers/resumable.js'
import type { UploadProgress } from '../transfers/resumable-services.js'
import { checkOfChunk } from './bodies/body-check.js'
import { uploadRequest } from './bodies/upload-request.js'
import { preconditionOf } from './headers/conditions.js'
import { mergeDigests, reprDigest } from './headers/digests.js'
import { slotWaitOf } from './headers/slot-wait.js'
import { checksumAlgorithms, parseBytes, parseMetadata } from './headers/tus-headers.js'
import { answerProblem } from './responses/problems.js'
import { documentTus } from './tus-document.js'
import { chunkOf, describeUpload, lengthOf, methodOf, wholeDigests } from './tus-requests.js'

export interface TusServices {
  resumable: ResumableUploads
  log: Log
  /** The media type for a file name. */
  mediaTypeOf(name: string): string
}

/** Sends the version in every response, and the supported extensions to OPTIONS. */
export function announceTus(config: { maxFileSize: number | null }): MiddlewareHandler<AppEnv> {
  return (c, next) => {
    const { outgoing } = c.env
    // tus: "The Tus-Resumable header MUST be included in every request and response except for OPTIONS requests."
    outgoing.setHeader('Tus-Resumable', version)
    if (c.req.method === 'OPTIONS') {
      outgoing.setHeader('Tus-Version', version)
      outgoing.setHeader('Tus-Extension', extensions.join(','))
      outgoing.setHeader('Tus-Checksum-Algorithm', checksumAlgorithms.join(','))
      if (config.maxFileSize !== null) outgoing.setHeader('Tus-Max-Size', String(config.maxFileSize))
    }
    return next()
  }
}

/**
 * `/tus`: resumable uploads by tus 1.0.0 (https://tus.io/protocols/resumable-upload), with the extensions creation,
 * creation-with-upload, creation-defer-length, checksum, checksum-trailer, expiration and termination.
 */
export function tusRoutes({ resumable, log, mediaTypeOf }: TusServices) {
  const app = new OpenAPIHono<AppEnv>({ strict: false })
  documentTus(app)
  app.onError((error, c) => answerProblem(error, c, log, statuses))

  app.use(`${routes.tus}/*`, async (c, next) => {
    if (c.req.header('tus-resumable') === version) return next()
    // tus: "the Server MUST respond with the 412 Precondition Failed status and MUST include the Tus-Version header".
    c.env.outgoing.setHeader('Tus-Version', version)
    throw new Problem('precondition-failed', `Tus-Resumable: this server speaks tus ${version} only.`)
  })

  // For all methods, because a header may replace them.
  app.all(routes.tus, create)

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
    switch (methodOf(c)) {
      case 'HEAD': {
        const progress = await resumable.look(id, account)
        return c.body(null, 200, { ...headersOf(progress), ...wholeOf(progress) })
      }
      case 'PATCH':
        return append(c, id)
      default:
        await resumable.stop(id, account)
        return c.body(null, 204, { [jobHeader]: id })
    }
  }

  async function create(c: Context<AppEnv>): Promise<Response> {
    const { incoming } = c.env
    const metadata = c.req.header('upload-metadata')
    const about = describeUpload(parseMetadata(metadata))
    if (c.req.header('upload-concat') !== undefined) {
      throw new Problem('invalid-request', 'Upload-Concat: this server does not put uploads together.', {
        field: 'Upload-Concat',
      })
    }
    const { request, done } = uploadRequest(c.env, c.get('identity'))
    try {
      if (!hasBody(incoming)) checkOfChunk(incoming).verify()
      const progress = await resumable.create({
        ...request,
        ...about,
        digests: mergeDigests(about.digests, wholeDigests(incoming)),
        waitMs: slotWaitOf(incoming, Number.POSITIVE_INFINITY),
        type: about.type ?? mediaTypeOf(about.name ?? ''),
        length: lengthOf(c),
        metadata: metadata ?? '',
        precondition: preconditionOf(c.env.incoming),
        first: hasBody(incoming) ? { body: incoming, ...chunkOf(c) } : null,
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
      const chunk = {
        ...request,
        ...chunkOf(c),
        waitMs: slotWaitOf(incoming, Number.POSITIVE_INFINITY),
        offset,
        length,
        body: incoming,
      }
      return c.body(null, 204, headersOf(await resumable.append(id, request.identity.account, chunk)))
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
  'checksum-trailer',
  'expiration',
  'termination',
] as const

/**
 * tus clients react to 409 with a HEAD and a retry, which is wrong for an upload that has ended. A slot that did not become
 * free in time is not a conflict: a repeated request may get it.
 */
const statuses = { 'job-stopped': 410, 'already-published': 410, 'job-running': 423 } as const

function headersOf({ id, offset, expiresAt, published }: UploadProgress): Record<string, string> {
  return {
    'Upload-Offset': String(offset),
    ...(expiresAt === null ? {} : { 'Upload-Expires': expiresAt.toUTCString() }),
    ...(published?.entityTag ? { ETag: published.entityTag } : {}),
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
