import type { ServerResponse } from 'node:http'
import { jobHeader } from '../../../protocol/routes.js'
import { cut, hangUpSignal, leftSignal, unsentBytes } from '../../http/connection.js'
import type { JobRequest } from '../../jobs/job-request.js'
import type { ExportOutput } from '../../transfers/export-output.js'

/** An export to the client of a request. The head of the response also has the id of the job. */
export function exportOutput(
  outgoing: ServerResponse,
  status: number,
  headers: Record<string, string>,
): ExportOutput & Required<Pick<JobRequest, 'left' | 'hungUp'>> {
  return {
    // A client that waits for a slot has sent its whole request, so its connection is read and reports a disconnect.
    left: leftSignal(outgoing),
    hungUp: hangUpSignal(outgoing),
    unsent: () => unsentBytes(outgoing),
    begin(job) {
      outgoing.writeHead(status, { ...headers, [jobHeader]: job.id })
      outgoing.flushHeaders()
    },
    response: outgoing,
    cut: () => cut(outgoing),
  }
}
