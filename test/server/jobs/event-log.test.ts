import { describe, expect, it } from 'vitest'
import { EventLog } from '../../../dist/server/jobs/event-log.js'

describe('the event log', () => {
  it('returns the events after a position, and the positions that it covers', () => {
    const log = new EventLog(1_000_000)
    expect([log.end, log.reaches(0), log.reaches(1)]).toEqual([0, true, false])
    for (const seq of [1, 2, 5, 9]) log.append({ seq, accountId: 1, job: '{}' })
    expect(log.end).toBe(9)
    expect([0, 1, 2, 3, 4, 5, 6, 9, 10].filter((seq) => log.reaches(seq))).toEqual([0, 1, 2, 5, 9])
    expect(seqsAfter(log, 0)).toEqual([1, 2, 5, 9])
    expect(seqsAfter(log, 2)).toEqual([5, 9])
    expect(seqsAfter(log, 9)).toEqual([])
  })

  it('drops the oldest events above its size, and does not cover positions before them', () => {
    const log = new EventLog(10_000)
    for (let seq = 1; seq <= 1000; seq++) log.append({ seq, accountId: 1, job: 'x'.repeat(100) })
    const kept = seqsAfter(log, 0)
    expect(kept).toHaveLength(50)
    expect(kept.at(-1)).toBe(1000)
    expect(kept[0]).toBe(951)
    expect([0, 949, 950, 951, 1000, 1001].filter((seq) => log.reaches(seq))).toEqual([950, 951, 1000])
    expect(seqsAfter(log, 998)).toEqual([999, 1000])
  })

  it('keeps its end position if a single event exceeds its size', () => {
    const log = new EventLog(10)
    log.append({ seq: 7, accountId: 1, job: 'x'.repeat(100) })
    expect([log.end, log.reaches(0), log.reaches(7)]).toEqual([7, false, true])
    expect(seqsAfter(log, 7)).toEqual([])
  })
})

function seqsAfter(log: EventLog, seq: number): number[] {
  return [...log.after(seq)].map((event) => event.seq)
}
