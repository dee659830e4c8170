import type { JobRecord } from '../../../protocol/jobs.js'
import type { Database } from './database.js'
import { jsonText } from './json-text.js'

/** What may be changed of an upload that no server runs. */
export interface IdleUploadControls {
  paused?: false
  rateLimit?: number | null
}

/**
 * Changes the resume state of an upload that no server runs: the server that continues it reads it. Returns its record;
 * undefined if a server runs it or it has ended, or if it is to be resumed and is not paused.
 */
export async function changeIdleUpload(
  database: Database,
  id: string,
  controls: IdleUploadControls,
): Promise<JobRecord | undefined> {
  return database.begin(async (sql) => {
    const [row] = await sql<{ record: JobRecord; state: { paused?: boolean } | null }[]>`
      select record, partials.state from jobs join partials using (id)
      where id = ${id} and jobs.node is null and ended_at is null and is_resumable
      for update`
    if (!row?.state || (controls.paused === false && !row.state.paused)) return undefined
    const state = { ...row.state, ...controls }
    const { rateLimit = row.record.rateLimit } = controls
    const record = { ...row.record, rateLimit }
    await sql`update partials set state = ${jsonText(state)}::text::json where id = ${id}`
    await sql`update jobs set record = ${jsonText(record)}::text::json where id = ${id}`
    return record
  })
}
