import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../dist/server/clock.js'
import { Job } from '../../dist/server/jobs/job.js'
import { migrateDatabase } from '../../dist/server/stores/postgres/schema.js'
import { eventually } from '../helpers/eventually.js'
import { endOf } from '../server/stores/history-contract.js'
import { emptyDatabase, hasDatabase } from './helpers/database.js'
import { openNode } from './helpers/node.js'
import { findPostgres, startPostgres } from './helpers/postgres-server.js'

describe.skipIf(!hasDatabase)('a crash and restart of the database', () => {
  it('ends no job, and what ended meanwhile is recorded and makes room for the next', async () => {
    const server = await startPostgres(findPostgres()!)
    onTestFinished(() => server.close())
    const database = await emptyDatabase(server.url)
    await migrateDatabase(database.connect(1))
    const [here, there] = [await openNode(database, { patienceMs: 50 }), await openNode(database)]
    const ids = [here.lease.id, there.lease.id]
    const [job, next] = [newJob(), newJob()]
    const { seq, lost } = await here.slots.claim(job, waiting())
    const { queued } = await there.slots.claim(next, waiting())
    const running = { seq, accountId: 1, job: job.record() }
    await here.history.note(running)
    await server.kill()
    const [ended, released] = [here.history.end(endOf(running)), here.slots.release(job)]
    await eventually('its failures are reported', () => here.errors.length >= 2)
    await expect(here.slots.claim(newJob(), waiting())).rejects.toMatchObject({ code: 'busy' })
    await server.start()
    await Promise.all([ended, released])
    await eventually('the leases are renewed', async () => {
      for (const { lease, errors } of [here, there]) {
        errors.length = 0
        await lease.beat()
      }
      return here.errors.length + there.errors.length === 0
    })
    await queued
    const unfinished = await here.history.unfinished({ accountId: null })
    expect(unfinished.map(({ job: { id } }) => id)).toEqual([next.id])
    expect(lost.aborted).toBe(false)
    expect([here.lease.id, there.lease.id]).toEqual(ids)
    expect(await here.history.find(job.id)).toEqual(endOf(running))
    expect(await here.slots.holding('upload', 'user:ann')).toEqual([next.record()])
  })
})

function newJob(): Job {
  return new Job({ id: randomUUID(), kind: 'upload', accountId: 1, account: 'user:ann' }, () => {}, systemClock)
}

function waiting() {
  return { waitMs: Number.POSITIVE_INFINITY, signal: new AbortController().signal }
}
