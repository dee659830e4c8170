import type { Context } from 'hono'
import { Problem } from '../../protocol/problems.js'
import type { AppEnv } from '../http/app-env.js'
import { parseReprDigest } from '../http/digests.js'
import { parseName } from '../http/names.js'
import { parseEntityTags } from '../http/ranges.js'
import { parseBytes, parseChecksum } from '../http/tus-headers.js'

// What the requests of tus 1.0.0 say by their headers.

/** tus: "if the X-HTTP-Method-Override header is presented, the actual method of the request MUST be ignored." */
export function methodOf(c: Context<AppEnv>): string {
  return (c.req.header('x-http-method-override') ?? c.env.incoming.method ?? '').toUpperCase()
}

/** What a creation says of its file. Throws `invalid-request`. */
export function describeFile(metadata: Map<string, string>): {
  name: string
  type: string | null
  sha256: string | null
} {
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

export function preconditionOf(c: Context<AppEnv>) {
  const ifMatch = parseEntityTags(c.req.header('if-match'))
  const ifNoneMatch = parseEntityTags(c.req.header('if-none-match'))
  if (ifNoneMatch && ifNoneMatch !== '*') {
    throw new Problem('invalid-request', 'If-None-Match: only "*" makes sense here.', { field: 'If-None-Match' })
  }
  return { ...(ifMatch ? { ifMatch } : {}), ...(ifNoneMatch ? { ifNoneMatch } : {}) }
}

export function hasBody(c: Context<AppEnv>): boolean {
  const { headers } = c.env.incoming
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

export function pieceOf(c: Context<AppEnv>) {
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
