import { onTestFinished } from 'vitest'
import { type Clock, systemClock } from '../../../dist/server/clock.js'
import type { RepeatedWork } from '../../../dist/server/concurrency/repeated-work.js'
import { restoreFiles } from '../../../dist/server/folders/restored-tally.js'
import type { JobHistory } from '../../../dist/server/stores/history.js'
import { openPostgresBus, type PostgresBus } from '../../../dist/server/stores/postgres/bus.js'
import type { Database } from '../../../dist/server/stores/postgres/database.js'
import { postgresJobFiles } from '../../../dist/server/stores/postgres/job-files.js'
import { postgresHistory } from '../../../dist/server/stores/postgres/job-history.js'
import { type NodeLease, openNodeLease } from '../../../dist/server/stores/postgres/node-lease.js'
import { startReaper } from '../../../dist/server/stores/postgres/reaper.js'
import { PostgresSlots } from '../../../dist/server/stores/postgres/slots.js'
import { discardPartials } from '../../../dist/server/stores/s3/interrupted-uploads.js'
import { TestClock } from '../../helpers/test-clock.js'
import type { TestDatabase } from './database.js'

export interface TestNode {
  sql: Database
  lease: NodeLease
  bus: PostgresBus
  slots: PostgresSlots
  history: JobHistory
  reaper: RepeatedWork
  /** The clock of its lease and its reaper, which do nothing until a test advances it. */
  clock: TestClock
  errors: unknown[]
  closing: AbortSignal
  /** Ends it properly. */
  close(): Promise<void>
  /** Ends it without a word to the database, as a crash does. */
  kill(): Promise<void>
}

export interface TestNodeOptions {
  /** Of its waits; default the system's. */
  clock?: Clock
  jobsPerAccount?: number
  leaseMs?: number
  /** Of its claims; default 5 s. */
  patienceMs?: number
  /** For the bus alone. */
  url?: string
  /** For everything else but the lease. */
  poolUrl?: string
}

/** A server's stores of jobs, as far as they share a database. */
export async function openNode(database: TestDatabase, options: TestNodeOptions = {}): Promise<TestNode> {
  const { clock: waits = systemClock, jobsPerAccount = 1, leaseMs = 6000, url = database.url } = options
  const clock = new TestClock()
  const errors: unknown[] = []
  const onError = (error: unknown) => void errors.push(error)
  const sql = database.connect(5, options.poolUrl)
  const lease = await openNodeLease(database, { clock, name: 'test', leaseMs, onError })
  const bus = await openPostgresBus({ ...database, url }, { lease, clock })
  const closed = new AbortController()
  const closing = closed.signal
  const { patienceMs = 5000 } = options
  const slots = new PostgresSlots(sql, { lease, bus, jobsPerAccount, clock: waits, patienceMs, closing, onError })
  const history = postgresHistory(sql, { lease, clock: waits, closing, onError })
  const lists = postgresJobFiles(sql, { clock, onError })
  const reaper = startReaper(sql, {
    lease,
    clock,
    grant: (key) => slots.grant(key),
    restoreFiles: (job) => restoreFiles(job, lists),
    discardPartials,
    onError,
  })
  let ended: Promise<void> | undefined
  const end = (last: () => Promise<void>) => {
    ended ??= (async () => {
      closed.abort()
      await reaper.close()
      await bus.close()
      await last()
      await sql.end({ timeout: 1 })
    })()
    return ended
  }
  onTestFinished(() => end(() => lease.close()))
  return {
    sql,
    lease,
    bus,
    slots,
    history,
    reaper,
    clock,
    errors,
    closing,
    close: () => end(() => lease.close()),
    kill: () => end(() => lease.abandon()),
  }
}

/** Lets the lease of a server run out, and has another one take its jobs. */
export async function reap(dead: TestNode, by: TestNode): Promise<void> {
  await by.sql`update nodes set expires_at = clock_timestamp() - interval '1 second' where id = ${dead.lease.id}`
  by.clock.skip(by.lease.leaseMs)
  await by.lease.beat()
  await by.reaper.run()
}
