import type { Log } from '../log.js'
import type { JobObserver } from './jobs.js'

/** Logs a line for each job once it has ended. */
export function jobLog(log: Log): JobObserver {
  return (job, change) => {
    if (change !== 'state' || !job.isEnded) return
    const { id, kind, account, file, table, state, bytes, rows, startedAt, endedAt, stoppedBy, error } = job.record()
    const what = file ?? table
    log.info(`${kind}${what === null ? '' : ` of ${JSON.stringify(what)}`} ${error?.code ?? state}`, {
      job: id,
      kind,
      account,
      file,
      table,
      state,
      bytes,
      rows,
      ms: startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : null,
      stoppedBy,
      code: error?.code ?? null,
    })
  }
}
