import { describe, expect, it } from 'vitest'
import { Job } from '../../../dist/server/jobs/job.js'
import { RecentStops } from '../../../dist/server/transfers/recent-stops.js'
import { TestClock } from '../../helpers/test-clock.js'

const reader = { sessionId: 's', name: 'big', repeater: 'curl' }
const stopped = { code: 'job-stopped' }

describe('a recently stopped export', () => {
  it('is rejected from byte 0 for three seconds, for the same program', async () => {
    const { clock, stops } = open()
    clock.skip(2_999)
    await expect(stops.check(reader, 0)).rejects.toMatchObject(stopped)
    await stops.check({ ...reader, repeater: 'another' }, 0)
    await stops.check({ ...reader, repeater: null }, 0)
    clock.skip(2)
    await stops.check(reader, 0)
  })

  it('is rejected for ranges above 0 for a minute, or until the whole file is requested', async () => {
    const { clock, stops } = open()
    clock.skip(59_999)
    await expect(stops.check(reader, 5)).rejects.toMatchObject(stopped)
    await expect(stops.check({ ...reader, repeater: null }, 5)).rejects.toMatchObject(stopped)
    await stops.check({ ...reader, name: 'other' }, 5)
    await stops.check({ ...reader, sessionId: 'other' }, 5)
    clock.skip(2)
    await stops.check(reader, 5)
    const other = open()
    other.stops.forget(reader)
    await other.stops.check(reader, 5)
  })
})

/** A memory in which the export of a reader was stopped just now. */
function open() {
  const clock = new TestClock()
  const stops = new RecentStops({ clock, findRecord: async () => undefined, tell() {} })
  const plan = { id: crypto.randomUUID(), kind: 'export', accountId: 1, account: 'user:ann', file: 'big' } as const
  const job = new Job(plan, () => {}, clock)
  job.start()
  job.stop('user:ann').catch(() => {})
  stops.remember(reader, job)
  return { clock, stops }
}
