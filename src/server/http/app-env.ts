import type { HttpBindings } from '@hono/node-server'
import type { Identity } from '../auth/identity.js'

/** What every handler behind the guard has: Node's request and response, and who asks. */
export interface AppEnv {
  Bindings: HttpBindings
  Variables: {
    identity: Identity
    /** The token of the dashboard's cookie, where it may stand in for one in a header. */
    pageToken?: string
  }
}
