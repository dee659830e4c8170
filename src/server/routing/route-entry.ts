import type { Role } from '../../protocol/roles.js'
import type { AuditEvent } from '../audit-events.js'

/** The rules of a route, enforced before its handler runs. */
export interface RouteEntry {
  /** `open`: no token needed. `account`: any account. A list: the accounts of these roles. */
  access: 'open' | 'account' | readonly Role[]
  /** The roles that also reach the jobs of other accounts here. Default: none. */
  everyAccount?: readonly Role[]
  /** The roles whose jobs may also upload here. Default: none. */
  uploaders?: readonly Role[]
  /** What `Cache-Control` says unless the handler says otherwise. */
  caching: keyof typeof cacheControl
  /**
   * The operation's name in the API document, from which generated clients derive their methods. Unset: not documented.
   */
  operationId?: string
  /** Whether the dashboard's cookie may replace a token. Default: false. */
  cookie?: boolean
  /** Requests of pages of other origins. Default: `refused`, unless the method is safe (RFC 9110 section 9.2.1). */
  crossSite?: 'refused'
  /**
   * Browsers that open the address get the dashboard: `always`, or if it is a folder. Its requests, and programs, get the route's own
   * response. Default: never.
   */
  page?: 'always' | 'folder'
  /** Whether the response is compressed for clients that accept it. Default: false. */
  compressed?: boolean
  /** Whether `X-HTTP-Method-Override` replaces the method. Default: false. */
  methodOverride?: boolean
  /** The audit line of each request, whatever came of it. Default: none. */
  audit?: AuditEvent
  /** The format of errors. Default: `application/problem+json`. */
  errors?: 'collect' | 'plain'
}

/**
 * For example `PUT /files/{name}`. `{name}` and `{folder}` match the rest of the path, including slashes; any other parameter
 * matches one segment.
 */
export type RouteKey = `${Method} /${string}`

export type Method = (typeof methods)[number]

/** In the order of `Allow`. */
export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

export const cacheControl = {
  /** For responses with a token, and those that are outdated at once. */
  never: 'no-store',
  /** For an account's own data. */
  private: 'private, no-cache',
  /** For data that is the same for everyone. */
  public: 'no-cache',
} as const
