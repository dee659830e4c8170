import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { limitOfEach, startHistoryLimit } from '../../dist/server/stores/postgres/history-limit.js'
import { TestClock } from '../helpers/test-clock.js'
import { hasDatabase, testDatabase } from './helpers/database.js'
import { openNode } from './helpers/node.js'

describe.skipIf(!hasDatabase)('the limit of the history', () => {
  it('removes the oldest ended jobs of the accounts with the most, with their lists of files', async () => {
    const database = await testDatabase()
    const [here, there] = [await openNode(database), await openNode(database)]
    const add = async (accountId: number, isEnded = true) => {
      const id = randomUUID()
      await here.sql`
        insert into jobs (id, kind, account, account_id, state, record, ended_at)
        values (${id}, 'upload', 'user:a', ${accountId}, 'done', '{}', case when ${isEnded} then now() end)`
      await here.sql`insert into job_file_lists (job) values (${id})`
      return id
    }
    const unfinished = await add(1, false)
    const many: string[] = []
    for (let n = 0; n < 10; n++) many.push(await add(1))
    const few = [await add(2), await add(2), await add(3)]
    const limits = [here, there].map(({ sql, clock, errors }) => {
      const limit = startHistoryLimit(sql, { clock, maxJobs: 8, onError: (error) => errors.push(error) })
      onTestFinished(() => limit.close())
      return limit
    })
    await Promise.all(limits.map((limit) => limit.run()))
    await limits[0]!.run()
    const kept = new Set([unfinished, ...many.slice(5), ...few])
    const rows = await here.sql`select id from jobs`
    expect(new Set(rows.map(({ id }) => id))).toEqual(kept)
    const lists = await here.sql`select job from job_file_lists`
    expect(new Set(lists.map(({ job }) => job))).toEqual(kept)
    expect([...here.errors, ...there.errors]).toEqual([])
  })

  it('is done from time to time, and its failure is reported', async () => {
    const node = await openNode(await testDatabase())
    await node.sql`alter table jobs rename to elsewhere`
    const clock = new TestClock()
    const errors: unknown[] = []
    const limit = startHistoryLimit(node.sql, { clock, onError: (error) => errors.push(error) })
    await clock.advance(600_000)
    // The run that the clock has begun.
    await limit.run()
    await limit.close()
    expect(errors).toMatchObject([{ message: expect.stringContaining('jobs') }])
    await node.sql`alter table elsewhere rename to jobs`
  })
})

describe('the number of jobs that an account keeps', () => {
  it.each([
    [[1, 2, 3], 10, Number.POSITIVE_INFINITY],
    [[1, 2, 30], 10, 7],
    [[20, 20, 1], 10, 4],
    [[], 10, Number.POSITIVE_INFINITY],
  ])('of %j with %d in all is %d', (counts, max, limit) => {
    expect(limitOfEach(counts, max)).toBe(limit)
  })
})
