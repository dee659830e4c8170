import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jobKinds } from '../../../dist/protocol/job-kinds.js'
import type { JobRecord } from '../../../dist/protocol/jobs.js'
import type { HistoryEntry, JobHistory } from '../../../dist/server/stores/history.js'
import { checkAsync } from '../../helpers/properties.js'

export interface OpenedHistory {
  history: JobHistory
  /** The same one, as a later run of the server finds it. */
  restart(): Promise<OpenedHistory>
}

const at = new Date(0).toISOString()

/** A job that runs, for `changes` to end. */
export function entryOf(seq: number, changes: Partial<JobRecord> = {}, accountId = 1): HistoryEntry {
  const job: JobRecord = {
    id: randomUUID(),
    kind: 'upload',
    account: 'user:ann',
    file: `f${seq}`,
    table: null,
    state: 'running',
    bytes: 0,
    totalBytes: 1,
    percent: 0,
    rows: null,
    files: null,
    rate: null,
    rateLimit: null,
    startedAt: at,
    endedAt: null,
    stoppedBy: null,
    error: null,
    ...changes,
  }
  return { seq, accountId, job }
}

export function endOf(
  entry: HistoryEntry,
  state: 'done' | 'stopped' | 'failed' = 'done',
  changes: Partial<JobRecord> = {},
): HistoryEntry {
  return { ...entry, job: { ...entry.job, state, endedAt: at, ...changes } }
}

/** What every history of jobs owes its callers. `open` gives an empty one. */
export function historyContract(open: () => Promise<OpenedHistory>): void {
  const everything = { accountId: null, limit: 1000 }

  it('has a job from its first entry on, in the newest state', async () => {
    const { history } = await open()
    const running = entryOf(1)
    expect(await history.has(running.job.id)).toBe(false)
    expect(await history.find(running.job.id)).toBeUndefined()
    await history.note({ ...running, job: { ...running.job, state: 'waiting', startedAt: null } })
    await history.note(running)
    expect(await history.has(running.job.id)).toBe(true)
    expect(await history.find(running.job.id)).toEqual(running)
    expect(await history.list(everything)).toEqual([])
    expect(await history.unfinished({ accountId: null })).toEqual([running])
  })

  it('stores the outcome of a job with its receipt', async () => {
    const { history } = await open()
    const running = entryOf(1)
    await history.note(running)
    const stopped = endOf(running, 'stopped')
    const receipt = { job: stopped.job, stoppedAt: at, published: null } as unknown as NonNullable<
      HistoryEntry['receipt']
    >
    await history.end({ ...stopped, receipt })
    expect(await history.find(running.job.id)).toEqual({ ...stopped, receipt })
    expect(await history.list(everything)).toEqual([{ ...stopped, receipt }])
    expect(await history.unfinished({ accountId: null })).toEqual([])
  })

  it('has what a resumable upload has published, also in a later run', async () => {
    const { history, restart } = await open()
    const uploaded = { metadata: 'filename YQ==', entityTag: '"1"', sha256: '1' }
    const ended = { ...endOf(entryOf(1)), uploaded }
    await history.end(ended)
    expect(await history.find(ended.job.id)).toEqual(ended)
    expect(await (await restart()).history.find(ended.job.id)).toEqual(ended)
  })

  it('lists the unfinished jobs of an account, or of a kind', async () => {
    const { history } = await open()
    const [mine, query, other] = [entryOf(1), entryOf(2, { kind: 'query' }), entryOf(3, {}, 2)]
    for (const entry of [mine, query, other]) await history.note(entry)
    expect(await history.unfinished({ accountId: 1 })).toEqual([mine, query])
    expect(await history.unfinished({ accountId: null, kind: 'query' })).toEqual([query])
    await history.end(endOf(mine))
    expect(await history.unfinished({ accountId: 1 })).toEqual([query])
  })

  it('counts the unfinished jobs of each account', async () => {
    const { history } = await open()
    expect(await history.countUnfinished()).toEqual(new Map())
    const [ended, ...running] = [entryOf(1), entryOf(2), entryOf(3, { kind: 'query' }), entryOf(4, {}, 2)]
    for (const entry of [ended!, ...running]) await history.note(entry)
    await history.end(endOf(ended!))
    const counts = await history.countUnfinished()
    expect([...counts].sort(([a], [b]) => a - b)).toEqual([
      [1, 2],
      [2, 1],
    ])
  })

  it('has the SQL of a query, also in a later run', async () => {
    const { history, restart } = await open()
    const running = { ...entryOf(1, { kind: 'query' }), query: 'select 1' }
    await history.note(running)
    expect(await history.find(running.job.id)).toEqual(running)
    const ended = { ...endOf(running), query: 'select 1' }
    await history.end(ended)
    expect(await history.find(ended.job.id)).toEqual(ended)
    expect(await (await restart()).history.find(ended.job.id)).toEqual(ended)
  })

  it('is preserved by a restart, with the unfinished jobs', async () => {
    const { history, restart } = await open()
    const [ended, running] = [entryOf(1), entryOf(2)]
    for (const entry of [ended, running]) await history.note(entry)
    await history.end(endOf(ended))
    const later = (await restart()).history
    expect(await later.find(ended.job.id)).toEqual(endOf(ended))
    expect(await later.has(running.job.id)).toBe(true)
    expect(await later.list(everything)).toEqual([endOf(ended)])
    expect(await later.unfinished({ accountId: null })).toEqual([running])
    await later.end(endOf(running, 'failed'))
    expect(await later.list(everything)).toEqual([endOf(running, 'failed'), endOf(ended)])
  })

  describe('a history list', () => {
    it('contains the ended jobs that match, newest claims first, in whatever order they ended', async () => {
      const job = fc.record({
        kind: fc.constantFrom(...jobKinds),
        accountId: fc.integer({ min: 1, max: 2 }),
        end: fc.constantFrom('done' as const, 'stopped' as const, 'failed' as const, null),
        order: fc.nat(),
        endedMs: fc.integer({ min: 0, max: 9 }),
        code: fc.constantFrom('disk-full', 'stalled'),
      })
      const query = fc.record(
        {
          accountId: fc.constantFrom(null, 1, 2),
          limit: fc.integer({ min: 1, max: 5 }),
          kind: fc.constantFrom(...jobKinds),
          states: fc.subarray(['done', 'stopped', 'failed'] as const, { minLength: 1 }),
          before: fc.integer({ min: 1, max: 12 }),
          fromMs: fc.integer({ min: 0, max: 9 }),
          toMs: fc.integer({ min: 0, max: 9 }),
          failure: fc.constantFrom('disk-full', 'stalled', 'busy'),
        },
        { requiredKeys: ['accountId', 'limit'] },
      )
      await checkAsync(
        fc.asyncProperty(fc.array(job, { maxLength: 10 }), fc.array(query, { maxLength: 5 }), async (jobs, queries) => {
          const { history } = await open()
          const claimed = jobs.map((each, index) => ({
            ...each,
            entry: entryOf(index + 1, { kind: each.kind }, each.accountId),
          }))
          for (const { entry } of claimed) await history.note(entry)
          const ended = claimed.flatMap(({ entry, end, order, endedMs, code }) => {
            const error = end === 'failed' ? { code, message: 'It failed.', status: 500 } : null
            const changes = { endedAt: new Date(endedMs).toISOString(), error }
            return end ? [{ order, entry: endOf(entry, end, changes) }] : []
          })
          for (const { entry } of ended.toSorted((a, b) => a.order - b.order)) await history.end(entry)
          for (const { limit, states, ...rest } of queries) {
            const { accountId, kind, failure, before = Number.POSITIVE_INFINITY } = rest
            const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = rest
            const expected = ended
              .map(({ entry }) => entry)
              .filter((entry) => accountId === null || entry.accountId === accountId)
              .filter(({ job: { kind: ofJob } }) => kind === undefined || ofJob === kind)
              .filter(({ job: { state } }) => states === undefined || states.some((wanted) => wanted === state))
              .filter(({ seq }) => seq < before)
              .filter(({ job: { endedAt } }) => Date.parse(endedAt!) >= fromMs && Date.parse(endedAt!) < toMs)
              .filter(({ job: { error } }) => failure === undefined || error?.code === failure)
              .toSorted((a, b) => b.seq - a.seq)
            const filter = { ...rest, limit, ...(states ? { states: [...states] } : {}) }
            expect(await history.list(filter)).toEqual(expected.slice(0, limit))
          }
        }),
        40,
      )
    })
  })
}
