import type { JobRecord } from '../../../protocol/jobs.js'
import type { Database, Transaction } from '../postgres/database.js'
import { jsonText } from '../postgres/json-text.js'
import { discardUnpublished } from './objects.js'

/** An unfinished upload that comes from elsewhere, whose content is stored. */
export interface AdoptedUpload {
  content: string
  size: number
  resumeState: object
  /** Its job, which is in the database. */
  job: JobRecord
}

/** Removes the unfinished uploads that an earlier run has moved. */
export async function discardAdoptedUploads(sql: Transaction): Promise<void> {
  const gone = await sql<{ content: string }[]>`delete from partials returning content`
  await discardUnpublished(
    sql,
    gone.map(({ content }) => content),
  )
}

/** Any server continues it when its client comes: it is as one whose server has died. */
export async function adoptUpload(database: Database, upload: AdoptedUpload): Promise<void> {
  const { content, size, resumeState, job } = upload
  const record: JobRecord = { ...job, state: 'interrupted', rate: null, endedAt: null, error: null }
  await database.begin(async (sql) => {
    await sql`
      insert into partials (id, content, size, state)
      values (${job.id}, ${content}, ${size}, ${jsonText(resumeState)}::text::json)`
    await sql`
      update jobs set state = ${record.state}, record = ${jsonText(record)}::text::json, ended_at = null,
        is_resumable = true
      where id = ${job.id}`
  })
}
