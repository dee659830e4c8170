import type { Log } from '../log.js'
import type { JobObserver } from './jobs.js'

/** Logs a line for each job when it has ended. */
export function jobLog(log: Log): JobObserver {
  return (job, change) => {
    if (change !== 'state' || !job.isEnded) return
    const record = job.record()
    const { id, kind, account, file, table, state, bytes, rows, files, startedAt, endedAt, stoppedBy, error } = record
    const what = file || table
    log.info(`${kind}${what ? ` of ${JSON.stringify(what)}` : ''} ${error?.code ?? state}`, {
      job: id,
      kind,
      account,
      file,
      table,
      state,
      bytes,
      rows,
      files: files?.done ?? null,
      failedFiles: files?.failed ?? null,
      ms: startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : null,
      stoppedBy,
      code: error?.code ?? null,
    })
  }
}
