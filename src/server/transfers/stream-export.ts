import { finished } from 'node:stream/promises'
import { unlessAborted } from '../concurrency/abortable.js'
import type { JobRequest } from '../jobs/job-request.js'
import type { JobRun } from '../jobs/run-job.js'
import type { Throttle } from '../jobs/throttle.js'
import { accountName } from '../stores/accounts.js'
import type { ExportOutput } from './export-output.js'
import { Flow } from './flow.js'
import { clientLeft } from './receiving.js'

export interface StreamLimits {
  idleTimeoutMs: number
  throttleOf(account: string): Throttle
}

/**
 * Sends an export that is generated, such as an archive: `write` passes it through the flow to the response. Resolves when
 * the response has been sent. Throws `client-left` if the client has disconnected, and what `write` throws.
 */
export async function streamExport(
  run: JobRun,
  request: JobRequest & ExportOutput,
  { idleTimeoutMs, throttleOf }: StreamLimits,
  write: (flow: Flow) => Promise<void>,
): Promise<void> {
  const { identity, response, left, hungUp, unsent } = request
  // A link's transfers count towards its owner's limit.
  const shared = [throttleOf(accountName(identity.account))]
  const flow = new Flow({ carrier: run.carrier, shared, idleTimeoutMs, signal: left, hungUp, unsent })
  run.onEnd(() => flow.close())
  run.onFailure(() => request.cut())
  run.stopWhenRevoked(identity)
  try {
    await write(flow)
    response.end()
    await unlessAborted(finished(response, { readable: false }), flow.signal)
  } catch (error) {
    const hasLeft = !run.signal.aborted && (left.aborted || response.destroyed)
    throw hasLeft ? clientLeft() : error
  }
}
