import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { systemClock } from '../../../dist/server/clock.js'
import { Job } from '../../../dist/server/jobs/job.js'
import { openPostgresBus } from '../../../dist/server/stores/postgres/bus.js'
import { connectDatabase } from '../../../dist/server/stores/postgres/database.js'
import { postgresHistory } from '../../../dist/server/stores/postgres/job-history.js'
import { openNodeLease } from '../../../dist/server/stores/postgres/node-lease.js'
import { PostgresSlots } from '../../../dist/server/stores/postgres/slots.js'

/**
 * A server in a process of its own, as far as it claims jobs. Prints the id of the job that it has claimed, then for each
 * line of its input whether it could record the end of that job.
 */
const [url, schema] = process.argv.slice(2)
const clock = systemClock
const sql = connectDatabase({ url, schema })
let outcome = 'recorded'
const onError = (error) => {
  outcome = error.message
}
const lease = await openNodeLease({ url, schema }, { clock, name: 'child', onError })
const bus = await openPostgresBus({ url, schema }, { lease, clock })
const { signal: closing } = new AbortController()
const slots = new PostgresSlots(sql, { lease, bus, jobsPerAccount: 1, clock, closing, onError })
const history = postgresHistory(sql, { lease, clock, closing, onError })
const job = new Job({ id: randomUUID(), kind: 'upload', accountId: 1, account: 'user:ann' }, () => {}, clock)
const { seq } = await slots.claim(job, { waitMs: 0, signal: closing })
const entry = { seq, accountId: 1, job: job.record() }
await history.note(entry)
console.log(job.id)
for await (const _ of createInterface({ input: process.stdin })) {
  await history.end({ ...entry, job: { ...entry.job, state: 'done', endedAt: new Date().toISOString() } })
  console.log(outcome)
}
process.exit()
