import type { HttpBindings } from '@hono/node-server'
import { jobHeader, partOfHeader, rateLimitHeader } from '../../../protocol/routes.js'
import type { Identity } from '../../auth/identity.js'
import { hangUpSignal, leftSignal, probeWhileUnread } from '../../http/connection.js'
import { sendContinue } from '../../http/continue.js'
import type { UploadRequest } from '../../transfers/upload-request.js'
import { jobIdOf, partOfOf, rateLimitOf } from '../headers/preferences.js'
import { slotWaitOf } from '../headers/slot-wait.js'
import { checkNotCoded } from './content-coding.js'

/** What a link for uploads says of them: its account, and its limit for each file. They are part of no other job. */
export type UploadLink = Required<Pick<UploadRequest, 'account' | 'maxFileBytes'>>

/**
 * The upload options of a request. Call `done` after the response. Throws `unsupported-media-type` if the body is
 * encoded.
 */
export function uploadRequest(
  env: HttpBindings,
  identity: Identity,
  link?: UploadLink,
): { request: UploadRequest; done: () => void } {
  const { incoming, outgoing } = env
  checkNotCoded(incoming)
  const header = (name: string) => incoming.headers[name.toLowerCase()] as string | undefined
  const request = {
    identity,
    jobId: jobIdOf(header(jobHeader)),
    partOf: link ? null : partOfOf(header(partOfHeader)),
    ...(link ? { account: link.account, maxFileBytes: link.maxFileBytes } : {}),
    waitMs: slotWaitOf(incoming),
    rateLimit: rateLimitOf(header(rateLimitHeader)),
    left: leftSignal(outgoing),
    hungUp: hangUpSignal(outgoing),
    begin: () => sendContinue(incoming),
  }
  return { request, done: probeWhileUnread(incoming, outgoing) }
}
