import type { HttpBindings } from '@hono/node-server'
import type { Role } from '../../protocol/roles.js'
import type { AuditEvent } from '../audit-events.js'
import type { Identity } from '../auth/identity.js'

/** What every handler behind the guard gets: Node's request and response, and the identity of the caller. */
export interface AppEnv {
  Bindings: HttpBindings
  Variables: {
    identity: Identity
    /** The roles that reach the jobs of other accounts on this route. */
    everyAccount: readonly Role[]
    /** The roles whose jobs may also upload on this route. */
    uploaders: readonly Role[]
    /** The token of the dashboard's cookie, where it may stand in for one in a header. */
    pageToken?: string
    /** What the audit line is about, if the request gets one, and what the handler adds to it. */
    auditEvent?: AuditEvent
    auditDetails?: Record<string, unknown>
    /** The format of errors, if an interface has its own. */
    errors?: 'collect' | 'plain'
  }
}
