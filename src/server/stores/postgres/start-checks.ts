import { randomUUID } from 'node:crypto'
import { Problem } from '../../../protocol/problems.js'
import type { Clock } from '../../clock.js'
import { deferred } from '../../concurrency/deferred.js'
import type { Database } from './database.js'

/** Throws, with the reason in words, if this is no PostgreSQL that a server can use. */
export async function checkDatabase(database: Database, clock: Pick<Clock, 'after'>, waitMs = 2000): Promise<void> {
  const [found] = await database<{ version: number; name: string; isStandby: boolean }[]>`
    select current_setting('server_version_num')::int as version, current_setting('server_version') as name,
      pg_is_in_recovery() as is_standby`
  if (found!.version < oldestVersion * 10_000) {
    throw unusable(`PostgreSQL ${found!.name} is too old: version ${oldestVersion} or later is needed.`)
  }
  if (found!.isStandby) {
    throw unusable('This PostgreSQL server is a standby, which cannot be written to: give the address of the primary.')
  }
  if (!(await hearsItself(database, clock, waitMs))) {
    const advice = 'Is it PgBouncer in transaction mode? Connect to PostgreSQL itself, or use its session mode.'
    throw unusable(`LISTEN does not work through this address: no message came back. ${advice}`)
  }
}

/** Through PgBouncer in transaction mode LISTEN succeeds, and nothing is ever delivered. */
async function hearsItself(database: Database, clock: Pick<Clock, 'after'>, waitMs: number): Promise<boolean> {
  const channel = `filejobs-check-${randomUUID()}`
  const heard = deferred<boolean>()
  const { unlisten } = await database.listen(channel, () => heard.resolve(true))
  const cancel = clock.after(waitMs, () => heard.resolve(false))
  try {
    await database.notify(channel, '')
    return await heard.promise
  } finally {
    cancel()
    await unlisten()
  }
}

function unusable(message: string): Problem {
  return new Problem('storage-unavailable', message)
}

const oldestVersion = 13
