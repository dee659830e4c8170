import type { Counters } from '../counters.js'
import type { Database } from './database.js'

export function postgresCounters(sql: Database): Counters {
  return {
    async next(name) {
      const [row] = await sql<{ n: number }[]>`
        insert into counters values (${name}, 1)
        on conflict (name) do update set n = counters.n + 1
        returning n`
      return row!.n
    },
  }
}
