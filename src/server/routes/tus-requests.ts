import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { requestLength } from '../../protocol/body-length.js'
import { Problem } from '../../protocol/problems.js'
import type { AppEnv } from '../routing/app-env.js'
import type { DeclaredDigests } from '../stores/files.js'
import { checkOfChunk } from './bodies/body-check.js'
import { type DigestField, declaredDigests, lateDigests } from './headers/digests.js'
import { parseName } from './headers/names.js'
import { parseBytes } from './headers/tus-headers.js'

// Parses the headers of tus 1.0.0 requests.

/** tus: "if the X-HTTP-Method-Override header is presented, the actual method of the request MUST be ignored." */
export function methodOf(c: Context<AppEnv>): string {
  return (c.req.header('x-http-method-override') ?? c.env.incoming.method ?? '').toUpperCase()
}

/**
 * The file metadata of a creation. Clients send `filename`, some `name`; both are optional in tus: null without them.
 * Throws `invalid-request`.
 */
export function describeUpload(metadata: Map<string, string>): {
  name: string | null
  type: string | null
  digests: DeclaredDigests
} {
  const name = metadata.get('filename') || metadata.get('name') || null
  const type = metadata.get('filetype') || null
  if (type !== null && !/^[\x20-\x7e]{1,255}$/.test(type)) throw wrongMetadata('filetype is not a media type')
  const sha256 = metadata.get('sha256')?.toLowerCase() ?? null
  if (sha256 !== null && !/^[0-9a-f]{64}$/.test(sha256)) throw wrongMetadata('sha256 is not 64 hexadecimal digits')
  return { name: name === null ? null : parseName(name), type, digests: sha256 === null ? {} : { sha256 } }
}

function wrongMetadata(why: string): Problem {
  return new Problem('invalid-request', `Upload-Metadata: ${why}.`, { field: 'Upload-Metadata' })
}

/** tus: "The value of the Upload-Defer-Length header MUST be 1"; either it or Upload-Length is required. */
export function lengthOf(c: Context<AppEnv>): number | null {
  const length = parseBytes(c.req.header('upload-length'), 'Upload-Length')
  const deferred = c.req.header('upload-defer-length')
  const field = 'Upload-Defer-Length'
  if (deferred !== undefined && deferred !== '1') throw new Problem('invalid-request', `${field}: only 1.`, { field })
  if ((length === null) === (deferred === undefined)) {
    throw new Problem('invalid-request', `Say either Upload-Length or ${field}.`, { field: 'Upload-Length' })
  }
  return length
}

export function chunkOf(c: Context<AppEnv>) {
  const { headers } = c.env.incoming
  // tus: "All PATCH requests MUST use Content-Type: application/offset+octet-stream, otherwise … 415".
  if (headers['content-type'] !== 'application/offset+octet-stream') {
    throw new Problem('unsupported-media-type', 'Send the bytes as "Content-Type: application/offset+octet-stream".')
  }
  return {
    bodySize: requestLength(headers),
    digests: wholeDigests(c.env.incoming),
    lateDigests: () => lateDigests(c.env.incoming, wholeFields),
    check: checkOfChunk(c.env.incoming),
  }
}

/** The declared digests of the whole upload, in any of its requests. Throws `invalid-request`. */
export function wholeDigests({ headers }: IncomingMessage): DeclaredDigests {
  return declaredDigests((name) => headers[name] as string | undefined, wholeFields)
}

const wholeFields = ['Repr-Digest', 'Digest'] as const satisfies DigestField[]
