import { expect, it } from 'vitest'
import type { Counters } from '../../../dist/server/stores/counters.js'

export interface OpenedCounters {
  counters: Counters
  /** The same ones, as a later run of the server finds them. */
  restart(): Promise<OpenedCounters>
}

/** What every store of counters owes its callers. `open` gives fresh ones. */
export function countersContract(open: () => Promise<OpenedCounters>): void {
  it('count up from 1, independently for each name', async () => {
    const { counters } = await open()
    const numbers = [await counters.next('a'), await counters.next('a'), await counters.next('b')]
    expect(numbers).toEqual([1, 2, 1])
  })

  it('give each number once, for any number of concurrent calls', async () => {
    const { counters } = await open()
    const numbers = await Promise.all(Array.from({ length: 50 }, () => counters.next('a')))
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1))
  })

  it('do not repeat a number after a restart', async () => {
    const opened = await open()
    const before = await Promise.all([opened.counters.next('a'), opened.counters.next('a')])
    const after = await (await opened.restart()).counters.next('a')
    expect(after).toBeGreaterThan(Math.max(...before))
  })
}
