import type { PeerServer } from '../peers.js'
import type { Database } from './database.js'
import type { NodeLease } from './node-lease.js'

/** The servers of the database, by their numbers. */
export async function registeredServers(database: Database, lease: Pick<NodeLease, 'id'>): Promise<PeerServer[]> {
  const rows = await database<(Omit<PeerServer, 'startedAt'> & { startedAt: Date })[]>`
    select id as number, name, address, version, started_at, expires_at > clock_timestamp() as is_alive,
      id = ${lease.id} as is_self
    from nodes order by id`
  return rows.map((row) => ({ ...row, startedAt: row.startedAt.toISOString() }))
}
