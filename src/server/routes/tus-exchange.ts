import type { Context } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { jobHeader } from '../../protocol/routes.js'
import type { Identity } from '../auth/identity.js'
import { hasBody } from '../http/lingering-response.js'
import { ownerOf } from '../jobs/job-owner.js'
import type { AppEnv } from '../routing/app-env.js'
import type { ResumableUploads } from '../transfers/resumable.js'
import type { UploadProgress } from '../transfers/resumable-services.js'
import { checkOfChunk } from './bodies/body-check.js'
import { type UploadLink, uploadRequest } from './bodies/upload-request.js'
import { preconditionOf } from './headers/conditions.js'
import { mergeDigests, reprDigest } from './headers/digests.js'
import { slotWaitOf } from './headers/slot-wait.js'
import { parseBytes, parseMetadata } from './headers/tus-headers.js'
import { chunkOf, describeUpload, lengthOf, methodOf, wholeDigests } from './tus-requests.js'

export interface TusExchangeServices {
  resumable: ResumableUploads
  /** The media type for a file name. */
  mediaTypeOf(name: string): string
}

/** Who uploads by tus, and where. */
export interface TusDoor {
  identity: Identity
  /** The path below which the uploads are. */
  address: string
  /** Of uploads by a link, to which conditions do not apply. */
  link?: UploadLink & {
    /** The name for one that a sender gives. */
    nameOf(name: string | null): string
  }
}

/** The exchanges of tus 1.0.0 (https://tus.io/protocols/resumable-upload): for accounts and for the senders of a link. */
export class TusExchange {
  readonly #resumable: ResumableUploads
  readonly #mediaTypeOf: (name: string) => string

  constructor({ resumable, mediaTypeOf }: TusExchangeServices) {
    this.#resumable = resumable
    this.#mediaTypeOf = mediaTypeOf
  }

  /** A request to the upload `id`. */
  async answer(c: Context<AppEnv>, id: string, door: TusDoor): Promise<Response> {
    try {
      return await this.#answer(c, id.toLowerCase(), door)
    } catch (error) {
      const isKnown = !(error instanceof Problem && error.code === 'upload-not-found')
      if (isKnown) c.env.outgoing.setHeader(jobHeader, id.toLowerCase())
      throw error
    }
  }

  async create(c: Context<AppEnv>, door: TusDoor): Promise<Response> {
    const { incoming } = c.env
    const metadata = c.req.header('upload-metadata')
    const { name: given, ...about } = describeUpload(parseMetadata(metadata))
    const name = door.link ? door.link.nameOf(given) : given
    if (c.req.header('upload-concat') !== undefined) {
      throw new Problem('invalid-request', 'Upload-Concat: this server does not put uploads together.', {
        field: 'Upload-Concat',
      })
    }
    const { request, done } = uploadRequest(c.env, door.identity, door.link)
    try {
      if (!hasBody(incoming)) checkOfChunk(incoming).verify()
      const progress = await this.#resumable.create({
        ...request,
        ...about,
        name,
        digests: mergeDigests(about.digests, wholeDigests(incoming)),
        waitMs: slotWaitOf(incoming, Number.POSITIVE_INFINITY),
        type: about.type ?? this.#mediaTypeOf(name ?? ''),
        length: lengthOf(c),
        metadata: metadata ?? '',
        precondition: door.link ? {} : preconditionOf(c.env.incoming),
        first: hasBody(incoming) ? { body: incoming, ...chunkOf(c) } : null,
      })
      const location = `${door.address}/${progress.id}`
      return c.body(null, 201, { Location: location, 'Content-Length': '0', ...headersOf(progress) })
    } finally {
      done()
    }
  }

  async #answer(c: Context<AppEnv>, id: string, door: TusDoor): Promise<Response> {
    const owner = ownerOf({ ...door, account: door.link?.account })
    switch (methodOf(c)) {
      case 'HEAD': {
        const progress = await this.#resumable.look(id, owner)
        return c.body(null, 200, { ...headersOf(progress), ...wholeOf(progress) })
      }
      case 'PATCH':
        return this.#append(c, id, door)
      default:
        await this.#resumable.stop(id, owner)
        return c.body(null, 204, { [jobHeader]: id })
    }
  }

  async #append(c: Context<AppEnv>, id: string, door: TusDoor): Promise<Response> {
    const { incoming } = c.env
    const offset = parseBytes(c.req.header('upload-offset'), 'Upload-Offset')
    if (offset === null) {
      throw new Problem('invalid-request', 'Upload-Offset: say where the bytes begin.', { field: 'Upload-Offset' })
    }
    const { request, done } = uploadRequest(c.env, door.identity, door.link)
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
      return c.body(null, 204, headersOf(await this.#resumable.append(id, ownerOf(request), chunk)))
    } finally {
      done()
    }
  }
}

/** Throws `precondition-failed` for another version of the protocol, or none. */
export function checkTusVersion(c: Context<AppEnv>): void {
  if (c.req.header('tus-resumable') === tusVersion) return
  // tus: "the Server MUST respond with the 412 Precondition Failed status and MUST include the Tus-Version header".
  c.env.outgoing.setHeader('Tus-Version', tusVersion)
  throw new Problem('precondition-failed', `Tus-Resumable: this server speaks tus ${tusVersion} only.`)
}

/**
 * tus clients react to 409 with a HEAD and a retry, which is wrong for an upload that has ended. A slot that did not become
 * free in time is not a conflict: a repeated request may get it.
 */
export const tusStatuses = { 'job-stopped': 410, 'already-published': 410, 'job-running': 423 } as const

export const tusVersion = '1.0.0'

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
