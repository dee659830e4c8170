import { describe, expect, it } from 'vitest'
import { JobBoard } from '../../../dist/cli/watch/board.js'
import { boardLines } from '../../../dist/cli/watch/board-lines.js'
import type { JobEvent, JobRecord } from '../../../dist/protocol/jobs.js'

describe('the job board', () => {
  it('shows unfinished jobs first, newest first within each group', () => {
    const board = new JobBoard({})
    for (const job of [
      makeJob('a', { startedAt: at(1) }),
      makeJob('b', { startedAt: at(2), endedAt: at(3), state: 'done' }),
      makeJob('c', { startedAt: at(2) }),
      makeJob('d', { startedAt: at(0), endedAt: at(9), state: 'failed' }),
      makeJob('e', { startedAt: null, state: 'waiting' }),
    ]) {
      board.apply(event(job))
    }
    expect(board.rows().map(({ id }) => id)).toEqual(['e', 'c', 'a', 'd', 'b'])
  })

  it('prefers an event to a list, and drops both at a resync', () => {
    const board = new JobBoard({})
    board.apply(event(makeJob('a', { bytes: 2 })))
    board.addListed([makeJob('a', { bytes: 1 }), makeJob('b', { bytes: 1 })])
    expect(board.rows().map(({ id, bytes }) => [id, bytes])).toEqual([
      ['a', 2],
      ['b', 1],
    ])
    board.apply({ id: 'x-1', event: 'resync', job: null })
    expect(board.rows()).toEqual([])
  })

  it('shows only jobs that match the filter, also after a change', () => {
    const board = new JobBoard({ state: 'running,paused', kind: 'upload' })
    board.apply(event(makeJob('a')))
    board.apply(event(makeJob('b', { kind: 'export' })))
    expect(board.rows().map(({ id }) => id)).toEqual(['a'])
    board.apply(event(makeJob('a', { state: 'done', endedAt: at(1) })))
    expect(board.rows()).toEqual([])
  })

  it('drops the oldest ended jobs above its limit, but never an unfinished one', () => {
    const board = new JobBoard({})
    board.apply(event(makeJob('running')))
    for (let index = 0; index < 3000; index++) {
      board.apply(event(makeJob(`ended-${index}`, { state: 'done', endedAt: at(index % 60) })))
    }
    const ids = board.rows().map(({ id }) => id)
    expect(ids).toHaveLength(2000)
    expect(ids).toContain('running')
    expect(ids).toContain('ended-2999')
    expect(ids).not.toContain('ended-0')
  })
})

describe('the lines of the job board', () => {
  const view = { withAccounts: false, trouble: undefined, columns: 120, lines: 24 }

  it('fit the height of the terminal, and say how many jobs are hidden', () => {
    const rows = Array.from({ length: 30 }, (_, index) => makeJob(`job-${index}`))
    const lines = boardLines({ ...view, rows, lines: 10 })
    expect(lines).toHaveLength(10)
    expect(lines[7]).toBe('… and 24 more')
    expect(lines[9]).toMatch(/^30 under way/)
    expect(boardLines({ ...view, rows: rows.slice(0, 7), lines: 10 })).toHaveLength(10)
  })

  it('show progress bars, rates and time left', () => {
    const rows = [
      makeJob('0b6fd5a1-4f1e', { bytes: 50, totalBytes: 200, percent: 25, rate: 200 }),
      makeJob('1b6fd5a1-4f1e', { state: 'paused', percent: 100, rate: 7 }),
      makeJob('2b6fd5a1-4f1e', { state: 'stopped', endedAt: at(1), stoppedBy: 'admin:admin', bytes: 3 }),
    ]
    const [titles, ...lines] = boardLines({ ...view, rows })
    expect(titles).toMatch(/^JOB +KIND +STATE +PROGRESS +DONE +RATE +LEFT +WHAT$/)
    expect(lines[0]).toMatch(/^0b6fd5a1 {2}upload {2}running {4}\[==--------\] {2}25% +50 B +200 B\/s +1 s {2}a\.bin$/)
    expect(lines[1]).toMatch(/paused {5}\[==========\] 100% +0 B {26}a\.bin$/)
    expect(lines[2]).toMatch(/stopped {4}3 B +3 B +a\.bin \(stopped by admin:admin\)$/)
    expect(lines.at(-1)).toBe('2 under way, 200 B/s in all; q leaves')
  })

  it('omit columns that do not fit a narrow terminal, and report connection problems', () => {
    const lines = boardLines({ ...view, rows: [makeJob('a')], columns: 80, trouble: 'No connection.' })
    expect(lines[0]).not.toMatch(/DONE|LEFT/)
    expect(lines.at(-1)).toMatch(/No connection\.$/)
    expect(boardLines({ ...view, rows: [] })).toContain('There are no jobs.')
  })
})

function event(job: JobRecord): JobEvent {
  return { id: 'x-1', event: 'job', job }
}

function at(second: number): string {
  return `2026-11-20T10:00:${String(second).padStart(2, '0')}.000Z`
}

function makeJob(id: string, changes: Partial<JobRecord> = {}): JobRecord {
  return {
    id,
    kind: 'upload',
    account: 'user:ann',
    file: 'a.bin',
    table: null,
    state: 'running',
    bytes: 0,
    totalBytes: null,
    percent: null,
    rows: null,
    files: null,
    rate: null,
    rateLimit: null,
    startedAt: at(0),
    endedAt: null,
    stoppedBy: null,
    error: null,
    ...changes,
  }
}
