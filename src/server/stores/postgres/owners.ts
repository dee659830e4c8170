import type { Owner, Owners } from '../owners.js'
import type { Database } from './database.js'
import type { NodeLease } from './node-lease.js'

/** The rows of jobs and partials name the server that runs them. */
export function postgresOwners(database: Database, { lease }: { lease: Pick<NodeLease, 'id'> }): Owners {
  return {
    async ofJob(id) {
      const [owner] = await database<Owner[]>`
        select address from jobs join nodes on nodes.id = jobs.node
        where jobs.id = ${id} and ended_at is null and nodes.id <> ${lease.id}`
      return owner
    },

    async ofPart(id) {
      const [owner] = await database<Owner[]>`
        select address from partials join nodes on nodes.id = partials.node
        where partials.id = ${id} and nodes.id <> ${lease.id} and not exists (select from jobs where jobs.id = ${id})`
      return owner
    },
  }
}
