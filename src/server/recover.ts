import type { FileStore } from './stores/files.js'
import type { JobHistory } from './stores/history.js'

/**
 * Brings the data folder in order after a crash, before anybody is served: partials without an owner are removed, and
 * jobs that were running are recorded as failed.
 */
export async function recover({ files, history }: { files: FileStore; history: JobHistory }): Promise<void> {
  for (const id of await files.listPartials()) await (await files.reopenPartial(id))?.remove()
  for (const entry of await history.unfinished()) {
    const error = { code: 'shutting-down', message: 'The server ended before the job did.', status: 503 }
    const job = { ...entry.job, state: 'failed' as const, rate: null, endedAt: new Date().toISOString(), error }
    history.append({ ...entry, job })
  }
}
