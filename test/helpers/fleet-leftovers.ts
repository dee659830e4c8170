import { keysBelow } from '../cluster/helpers/bucket.js'
import { bucketPrefixOf, queryBackend } from './backend.js'

export interface Leftovers {
  /** The servers that are registered. */
  nodes: number
  /** The table and key of each row that belongs to nothing. */
  rows: string[]
  /** The keys of objects that the database does not know. */
  objects: string[]
}

/** What the servers of a folder have in their database and bucket that belongs to nothing: no job, file, table or server. */
export function leftByServers(dataFolder: string): Promise<Leftovers> {
  return queryBackend(dataFolder, async (sql) => {
    const rows = await sql<{ row: string }[]>`
      select 'objects ' || key as row from objects where state <> 'garbage'
        and not exists (select from files where files.content = objects.content)
        and not exists (select from imports where imports.content = objects.content)
        and not exists (select from partials where partials.content = objects.content)
        and not exists (select from staged_files where staged_files.content = objects.content)
      union all select 'partials ' || id from partials where content is not null
        and not exists (select from jobs where jobs.id = partials.id and ended_at is null)
      union all select 'stages ' || id from stages
        where not exists (select from jobs where jobs.id = stages.id and ended_at is null)
      union all select 'jobs ' || id from jobs where slot is not null and ended_at is not null
      -- One whose bytes are kept waits for its client: the next server finds that it is interrupted.
      union all select 'jobs ' || id from jobs where node is null and ended_at is null and state <> 'interrupted'
        and not exists (select from partials where partials.id = jobs.id and is_resumable)
      union all select 'reservations ' || id from reservations
        where not exists (select from nodes where nodes.id = reservations.node)
      union all select 'job_requests ' || id from job_requests
        where not exists (select from nodes where nodes.id = job_requests.asked_by)
      union all select 'object_readers ' || id from object_readers
        where not exists (select from nodes where nodes.id = object_readers.node)`
    const known = new Set((await sql<{ key: string }[]>`select key from objects`).map(({ key }) => key))
    const [nodes] = await sql<{ count: number }[]>`select count(*)::int as count from nodes`
    return {
      nodes: nodes!.count,
      rows: rows.map(({ row }) => row),
      objects: keysBelow(bucketPrefixOf(dataFolder)).filter((key) => !known.has(key)),
    }
  })
}
