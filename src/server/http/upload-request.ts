import type { HttpBindings } from '@hono/node-server'
import { jobHeader, rateLimitHeader } from '../../protocol/routes.js'
import type { Identity } from '../auth/identity.js'
import type { UploadRequest } from '../transfers/uploads.js'
import { leftSignal, probeWhileUnread } from './connection.js'
import { sendContinue } from './continue.js'
import { jobIdOf, rateLimitOf, waitOf } from './preferences.js'

/** What a request says of the upload that it is. `done` must be called once it is answered. */
export function uploadRequest(env: HttpBindings, identity: Identity): { request: UploadRequest; done: () => void } {
  const { incoming, outgoing } = env
  const header = (name: string) => incoming.headers[name.toLowerCase()] as string | undefined
  const request = {
    identity,
    jobId: jobIdOf(header(jobHeader)),
    waitMs: waitOf(header('prefer')),
    rateLimit: rateLimitOf(header(rateLimitHeader)),
    left: leftSignal(outgoing),
    begin: () => sendContinue(incoming),
  }
  return { request, done: probeWhileUnread(incoming, outgoing) }
}
