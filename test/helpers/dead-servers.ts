import { systemClock } from '../../dist/server/clock.js'
import { restoreFiles } from '../../dist/server/folders/restored-tally.js'
import { postgresJobFiles } from '../../dist/server/stores/postgres/job-files.js'
import { startReaper } from '../../dist/server/stores/postgres/reaper.js'
import { discardPartials, startInterruptedUploads } from '../../dist/server/stores/s3/interrupted-uploads.js'
import { isCluster } from '../run/is-cluster.js'
import { queryBackend } from './backend.js'
import { eventually } from './eventually.js'

/**
 * Takes the jobs of killed servers over, as another server does seconds later, when their leases have ended. A data folder is
 * repaired by the next server itself.
 */
export async function takeOverJobs(dataFolder: string): Promise<void> {
  if (!isCluster) return
  await queryBackend(dataFolder, async (sql) => {
    const [found] = await sql<{ hasServed: boolean }[]>`select to_regclass('nodes') is not null as has_served`
    if (!found!.hasServed) return
    await sql`update nodes set expires_at = '-infinity'`
    const [other] = await sql<{ id: number }[]>`
      insert into nodes (name, expires_at) values ('other', clock_timestamp() + interval '1 minute') returning id`
    const errors: unknown[] = []
    const onError = (error: unknown) => void errors.push(error)
    const lists = postgresJobFiles(sql, { clock: systemClock, onError })
    const reaper = startReaper(sql, {
      lease: { id: other!.id, process: undefined, heldForMs: Number.POSITIVE_INFINITY, leaseMs: 0 },
      clock: systemClock,
      // The servers of all jobs are dead: none waits.
      grant: async () => {},
      restoreFiles: (job) => restoreFiles(job, lists),
      discardPartials,
      onError,
    })
    await eventually('all servers are found dead', async () => {
      // It leaves those alone whose last statement still runs.
      await reaper.run()
      const [{ left }] = await sql<[{ left: number }]>`select count(*) as left from nodes where id <> ${other!.id}`
      return left === 0
    })
    await reaper.close()
    const uploads = startInterruptedUploads(sql, { clock: systemClock, keepMs: 86_400_000, onRecord() {}, onError })
    await uploads.run()
    await uploads.close()
    await lists.close()
    await sql`delete from nodes where id = ${other!.id}`
    if (errors.length > 0) throw errors[0]
  })
}
