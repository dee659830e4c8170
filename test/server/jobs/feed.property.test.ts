import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JobEvent } from '../../../dist/protocol/jobs.js'
import { EventLog } from '../../../dist/server/jobs/event-log.js'
import { JobFeed } from '../../../dist/server/jobs/feed.js'
import { Job } from '../../../dist/server/jobs/job.js'
import type { JobObserver } from '../../../dist/server/jobs/jobs.js'
import { check } from '../../helpers/properties.js'
import { TestClock } from '../../helpers/test-clock.js'

describe('the event log', () => {
  it('returns the events after each position that it covers, once and in order', () => {
    const events = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 5 }), length: fc.nat(300) }), { maxLength: 60 })
    check(
      fc.property(events, fc.nat(5000), (appended, maxBytes) => {
        const log = new EventLog(maxBytes)
        const seqs: number[] = []
        for (const { gap, length } of appended) {
          seqs.push((seqs.at(-1) ?? 0) + gap)
          log.append({ seq: seqs.at(-1)!, accountId: 1, job: 'x'.repeat(length) })
          expect(log.end).toBe(seqs.at(-1))
        }
        for (const place of [0, ...seqs]) {
          if (!log.reaches(place)) continue
          expect([...log.after(place)].map(({ seq }) => seq)).toEqual(seqs.filter((seq) => seq > place))
        }
        expect(log.reaches(log.end)).toBe(true)
      }),
      100,
    )
  })
})

interface Listener {
  accountId: number
  reader: ReturnType<JobFeed['listen']>
  /** The states that it knows, by job. */
  known: Map<string, string>
  /** Each event that it was given since it was in step. */
  heard: string[]
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('change' as const), job: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), listener: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('return' as const), listener: fc.nat(3) }) },
)

describe('a listener of the feed', () => {
  it('receives each change of its jobs once and in order, or a resync, and ends with the state of all', () => {
    check(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 500, max: 20_000 }), (steps, logBytes) => {
        const { feed, change, states, history } = open(logBytes)
        const listeners = [1, 1, 2, 2].map((accountId) => listen(feed, accountId))
        for (const one of steps) {
          if (one.do === 'change') change(one.job)
          else if (one.do === 'read') read(listeners[one.listener]!, history)
          else {
            // Its connection broke: it comes back with the last id.
            const before = listeners[one.listener]!
            const last = before.heard.at(-1)
            before.reader.close()
            listeners[one.listener] = listen(feed, before.accountId, last, before)
          }
        }
        for (const listener of listeners) {
          read(listener, history)
          expect(listener.reader.read()).toBeNull()
          expect(Object.fromEntries(listener.known)).toEqual(states(listener.accountId))
          expect(new Set(listener.heard).size).toBe(listener.heard.length)
        }
        feed.close()
      }),
      80,
    )
  })
})

/** Five jobs of two accounts, and what happened to them. */
function open(logBytes: number) {
  const clock = new TestClock()
  let observer: JobObserver = () => {}
  const jobs = [1, 1, 2, 2, 2].map((accountId) => {
    const plan = { id: crypto.randomUUID(), kind: 'upload', accountId, account: `user:${accountId}` } as const
    const job = new Job(plan, (changed, change) => observer(changed, change), clock)
    job.start()
    return job
  })
  const observe = (given: JobObserver) => {
    observer = given
    return () => {}
  }
  const feed = new JobFeed({ observe, unfinished: () => jobs }, { clock, logBytes })
  /** The states of each job, in order. */
  const history = new Map(jobs.map((job) => [job.id, [job.state as string]]))
  const change = (index: number) => {
    const job = jobs[index]!
    if (job.state === 'paused') job.resume()
    else job.pause()
    history.get(job.id)!.push(job.state)
  }
  const states = (accountId: number) => {
    return Object.fromEntries(jobs.filter((job) => job.accountId === accountId).map((job) => [job.id, job.state]))
  }
  return { feed, change, states, history }
}

function listen(feed: JobFeed, accountId: number, after?: string, before?: Listener): Listener {
  const reader = feed.listen({ accountId, format: 'ndjson', after, onNews() {}, onEnd() {} })
  return { accountId, reader, known: before?.known ?? new Map(), heard: before?.heard ?? [] }
}

function read(listener: Listener, history: Map<string, string[]>): void {
  const { reader, known, heard } = listener
  for (let bytes = reader.read(); bytes; bytes = reader.read()) {
    for (const line of bytes.toString().split('\n').filter(Boolean)) {
      const { id, event, job } = JSON.parse(line) as JobEvent & { id: string }
      heard.push(id)
      if (event === 'resync') known.clear()
      if (!job) continue
      if (event === 'job') {
        // In order: the state before it was the last known one, since the states of a job alternate.
        if (known.has(job.id)) expect(job.state).not.toBe(known.get(job.id))
        expect(history.get(job.id)).toContain(job.state)
      }
      known.set(job.id, job.state)
    }
  }
}
