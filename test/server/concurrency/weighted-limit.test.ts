import fc from 'fast-check'
import { expect, it } from 'vitest'
import { WeightedLimit } from '../../../dist/server/concurrency/weighted-limit.js'
import { checkAsync } from '../../helpers/properties.js'

it('a weighted limit runs work in order, up to its limit at a time, for any weights and outcomes', async () => {
  const work = fc.record({ weight: fc.integer({ min: 1, max: 12 }), fails: fc.boolean() })
  const property = fc.asyncProperty(fc.array(work, { maxLength: 20 }), async (works) => {
    const limit = new WeightedLimit({ least: 2, most: 10 })
    const running: { weight: number; end: () => void }[] = []
    const order: number[] = []
    const ends = works.map(({ weight, fails }, index) =>
      limit.run(weight, async () => {
        order.push(index)
        await new Promise<void>((resolve) => running.push({ weight, end: resolve }))
        if (fails) throw new Error('failed')
        return index
      }),
    )
    const settled = Promise.allSettled(ends)
    while (order.length < works.length || running.length > 0) {
      await new Promise((resolve) => setImmediate(resolve))
      const weight = running.reduce((sum, each) => sum + each.weight, 0)
      expect(running.length <= 2 || weight <= 10).toBe(true)
      const next = works[order.length]
      if (next) expect(running.length >= 2 && weight + next.weight > 10).toBe(true)
      running.shift()?.end()
    }
    expect(order).toEqual(works.map((_, index) => index))
    const results = (await settled).map(({ status }) => status)
    expect(results).toEqual(works.map(({ fails }) => (fails ? 'rejected' : 'fulfilled')))
  })
  await checkAsync(property)
})
