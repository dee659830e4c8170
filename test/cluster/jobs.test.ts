import { describe, expect, it } from 'vitest'
import { slotsContract } from '../server/jobs/slots-contract.js'
import { endOf, entryOf, historyContract, type OpenedHistory } from '../server/stores/history-contract.js'
import { hasDatabase, type TestDatabase, testDatabase } from './helpers/database.js'
import { openNode, type TestNode, type TestNodeOptions } from './helpers/node.js'

let only: TestNode | undefined

/** Opens a server and closes the one before, since properties open many of them in one test. */
async function openOnly(database: TestDatabase, options: TestNodeOptions = {}): Promise<TestNode> {
  await only?.close()
  only = await openNode(database, options)
  return only
}

describe.skipIf(!hasDatabase)('slots in PostgreSQL', () => {
  slotsContract(
    async ({ slotsPerAccount, lastSeq, usedIds }) => {
      const node = await openOnly(await testDatabase(), { jobsPerAccount: slotsPerAccount })
      for (const [id, seq] of usedIds) await node.history.note(entryOf(seq, { id }))
      await node.sql`update jobs set node = null`
      const newest = Math.max(lastSeq, ...usedIds.values())
      if (newest > 0) await node.sql`select setval('job_seq', ${newest})`
      return node.slots
    },
    { runs: 10 },
  )
})

describe.skipIf(!hasDatabase)('the job history in PostgreSQL', () => {
  const open = async (database: TestDatabase): Promise<OpenedHistory> => {
    const node = await openOnly(database)
    return {
      history: node.history,
      async restart() {
        await node.close()
        return open(database)
      },
    }
  }
  historyContract(async () => open(await testDatabase()))

  it('has texts with any characters, and a replacement for those that PostgreSQL cannot store', async () => {
    const { history, sql } = await openNode(await testDatabase())
    const [wild, stored] = ['a\u0000b\ud800\u{1F600}', 'a\ufffdb\ufffd\u{1F600}']
    const entry = { ...entryOf(1, { file: wild }), query: "select 'a\u0000'" }
    await history.note(entry)
    expect(await history.find(entry.job.id)).toMatchObject({ job: { file: stored }, query: "select 'a\ufffd'" })
    const ended = endOf(entry, 'failed')
    const error = { code: 'invalid-request', message: wild, status: 400 }
    await history.end({ ...ended, job: { ...ended.job, error } })
    expect(await history.find(entry.job.id)).toMatchObject({ job: { state: 'failed', error: { message: stored } } })
    expect(await sql`select from jobs`).toHaveLength(1)
  })

  it('keeps the first end of a job', async () => {
    const { history, errors } = await openNode(await testDatabase())
    const entry = entryOf(1)
    await history.note(entry)
    await history.end(endOf(entry, 'stopped'))
    await history.end(endOf(entry, 'done'))
    expect(await history.find(entry.job.id)).toEqual(endOf(entry, 'stopped'))
    expect(errors.map(String)).toEqual([expect.stringContaining('is not recorded as done: others have ended it')])
  })

  it('tries again what the database refuses, reports it once, and keeps the order of a job', async () => {
    const { history, sql, errors } = await openNode(await testDatabase())
    await sql`alter table jobs rename to elsewhere`
    const entry = entryOf(1)
    const recorded = [history.note(entry), history.end(endOf(entry))]
    await expect.poll(() => errors).toHaveLength(1)
    await sql`alter table elsewhere rename to jobs`
    await Promise.all(recorded)
    expect(await history.find(entry.job.id)).toEqual(endOf(entry))
    expect(errors).toHaveLength(1)
  })

  it('takes an end for recorded whose answer was lost', async () => {
    const { history, errors } = await openNode(await testDatabase())
    const entry = entryOf(1)
    await history.note(entry)
    await history.end(endOf(entry))
    await history.end(endOf(entry))
    expect(errors).toEqual([])
  })

  it('gives up what it could not write when the server closes', async () => {
    const node = await openNode(await testDatabase())
    await node.sql`alter table jobs rename to elsewhere`
    const noted = node.history.note(entryOf(1))
    await expect.poll(() => node.errors).toHaveLength(1)
    await node.close()
    await noted
  })
})
