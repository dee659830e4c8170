import { Problem } from '../../protocol/problems.js'

// The ends of jobs whose client or server did not return.

/** The error of an upload that was interrupted for longer than it is kept. */
export function expired(): Problem {
  return new Problem('upload-gone', 'The upload has expired: nothing came for too long. Start it again.')
}

/** The error of a job that its server did not end. */
export function endedWithServer(): Problem {
  return new Problem('shutting-down', 'The server ended before the job did.')
}
