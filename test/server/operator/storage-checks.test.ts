import { describe, expect, it } from 'vitest'
import { deferred } from '../../../dist/server/concurrency/deferred.js'
import { StorageChecks } from '../../../dist/server/operator/storage-checks.js'
import type { StorageView } from '../../../dist/server/stores/storage-view.js'
import { TestClock } from '../../helpers/test-clock.js'

const note = { severity: 'note', subject: 'a file', fault: 'it is odd' } as const

function open(check: StorageView['check'], options: { fault?: string; maxFindings?: number } = {}) {
  const clock = new TestClock(0)
  const { fault = null, ...rest } = options
  const checks = new StorageChecks({ storage: { check }, findFault: async () => fault, clock, node: 'here', ...rest })
  return { clock, checks }
}

describe('a check of the storage', () => {
  it('says what was found, by whom and when, and is remembered', async () => {
    const { checks } = open(async (found) => found(note))
    expect(checks.state).toEqual({ isRunning: false, last: null })
    const report = await checks.run()
    const at = new Date(0).toISOString()
    const rest = { startedAt: at, endedAt: at, isComplete: true, omitted: 0 }
    expect(report).toEqual({ node: 'here', findings: [note], ...rest })
    expect(checks.state).toEqual({ isRunning: false, last: report })
  })

  it('begins with why nothing can be stored', async () => {
    const { checks } = open(async () => {}, { fault: 'disk full' })
    const { findings } = await checks.run()
    expect(findings).toEqual([{ severity: 'damage', subject: 'the server', fault: 'it takes no new work: disk full' }])
  })

  it('runs once for all who ask meanwhile', async () => {
    const [begun, end] = [deferred(), deferred()]
    let runs = 0
    const { checks } = open(async () => {
      runs++
      begun.resolve()
      await end.promise
    })
    const both = Promise.all([checks.run(), checks.run()])
    await begun.promise
    expect(checks.state.isRunning).toBe(true)
    end.resolve()
    const [one, other] = await both
    expect(one).toBe(other)
    await checks.run()
    expect(runs).toBe(2)
  })

  it('ends after its time with what it has found, and keeps a limited number of findings', async () => {
    const begun = deferred()
    const check: StorageView['check'] = (found, signal) => {
      for (let n = 0; n < 5; n++) found(note)
      begun.resolve()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    const { checks, clock } = open(check, { maxFindings: 2 })
    const running = checks.run()
    await begun.promise
    await clock.advance(50_000)
    expect(await running).toMatchObject({ isComplete: false, findings: [note, note], omitted: 3 })
  })

  it('fails with the storage, and can be repeated', async () => {
    let isAway = true
    const { checks } = open(async () => {
      if (isAway) throw new Error('away')
    })
    await expect(checks.run()).rejects.toThrow('away')
    expect(checks.state).toEqual({ isRunning: false, last: null })
    isAway = false
    expect((await checks.run()).isComplete).toBe(true)
  })
})
