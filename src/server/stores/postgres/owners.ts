import type { Owners } from '../owners.js'
import type { Database } from './database.js'
import type { NodeLease } from './node-lease.js'

/** The rows of jobs and partials name the server that runs them. */
export function postgresOwners(database: Database, { lease }: { lease: Pick<NodeLease, 'id'> }): Owners {
  return {
    async find(id) {
      const [row] = await database<{ address: string | null }[]>`
        select address from nodes where id <> ${lease.id} and id = coalesce(
          (select node from jobs where jobs.id = ${id} and ended_at is null),
          (select node from partials where partials.id = ${id} and not exists (select from jobs where jobs.id = ${id})))`
      return row
    },
  }
}
