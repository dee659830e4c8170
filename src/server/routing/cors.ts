import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from './app-env.js'

/**
 * Allows pages of `--cors-origin` (`*`, or origins separated by commas) to call the API and to read the headers that
 * clients need. Tokens are sent in headers, so no cookies have to be allowed.
 */
export function cors(corsOrigin: string | null): MiddlewareHandler<AppEnv> {
  const allowed = allowedOrigins(corsOrigin)
  return async (c, next) => {
    const origin = c.req.header('origin')
    const isAllowed = origin !== undefined && (allowed.includes('*') || allowed.includes(origin))
    if (allowed.length > 0) c.env.outgoing.setHeader('Vary', 'Origin')
    if (!isAllowed) return next()
    // On Node's response, because files are sent without Hono's.
    const { outgoing } = c.env
    outgoing.setHeader('Access-Control-Allow-Origin', allowed.includes('*') ? '*' : origin)
    const isPreflight = c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined
    if (!isPreflight) {
      outgoing.setHeader('Access-Control-Expose-Headers', exposedHeaders.join(', '))
      return next()
    }
    outgoing.setHeader('Access-Control-Allow-Methods', allowedMethods.join(', '))
    outgoing.setHeader('Access-Control-Allow-Headers', allowedHeaders.join(', '))
    outgoing.setHeader('Access-Control-Max-Age', String(preflightSeconds))
    return c.body(null, 204)
  }
}

/** The parsed value of `--cors-origin`. */
export function allowedOrigins(corsOrigin: string | null): string[] {
  return corsOrigin?.split(',') ?? []
}

const allowedMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

const allowedHeaders = [
  'Authorization',
  'auth_token',
  'Content-Digest',
  'Content-Type',
  'Accept',
  'Filejobs-Job',
  'Filejobs-Rate-Limit',
  'If-Match',
  'If-Modified-Since',
  'If-None-Match',
  'If-Range',
  'If-Unmodified-Since',
  'Last-Event-ID',
  'Prefer',
  'Range',
  'Repr-Digest',
  'Tus-Resumable',
  'Upload-Checksum',
  'Upload-Concat',
  'Upload-Defer-Length',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Offset',
  'X-HTTP-Method-Override',
  'X-Request-ID',
  'X-Requested-With',
]

const exposedHeaders = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Range',
  'ETag',
  'Filejobs-Job',
  'Location',
  'Repr-Digest',
  'Retry-After',
  'Tus-Checksum-Algorithm',
  'Tus-Extension',
  'Tus-Max-Size',
  'Tus-Resumable',
  'Tus-Version',
  'Upload-Defer-Length',
  'Upload-Expires',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Offset',
]

/** A day; browsers use at most two hours. */
const preflightSeconds = 86_400
