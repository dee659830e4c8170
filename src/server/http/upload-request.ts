import type { HttpBindings } from '@hono/node-server'
import { jobHeader } from '../../protocol/routes.js'
import type { Identity } from '../auth/identity.js'
import type { Job } from '../jobs/job.js'
import type { UploadRequest } from '../transfers/uploads.js'
import { leftSignal, probeWhileHeld } from './connection.js'
import { sendContinue } from './continue.js'
import { jobIdOf, waitOf } from './preferences.js'

/** What a request says of the upload that it is. `done` must be called once it is answered. */
export function uploadRequest(env: HttpBindings, identity: Identity): { request: UploadRequest; done: () => void } {
  const { incoming, outgoing } = env
  let job: Job | null = null
  // Neither one who waits for a turn nor one who is paused is read from.
  const done = probeWhileHeld(incoming, outgoing, () => job === null || job.state === 'paused')
  return {
    request: {
      identity,
      jobId: jobIdOf(incoming.headers[jobHeader.toLowerCase()] as string | undefined),
      waitMs: waitOf(incoming.headers.prefer as string | undefined),
      left: leftSignal(outgoing),
      begin(running) {
        job = running
        sendContinue(incoming)
      },
    },
    done,
  }
}
