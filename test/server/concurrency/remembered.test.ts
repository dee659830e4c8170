import { expect, it } from 'vitest'
import { remember } from '../../../dist/server/concurrency/remembered.js'
import { TestClock } from '../../helpers/test-clock.js'

it('a remembered result is loaded once in its time, by calls at the same time too', async () => {
  const clock = new TestClock()
  let loads = 0
  const load = remember(async () => ++loads, 1000, clock)
  expect(await Promise.all([load(), load()])).toEqual([1, 1])
  await clock.advance(999)
  expect(await load()).toBe(1)
  await clock.advance(1)
  expect(await load()).toBe(2)
})

it('a failure is not remembered', async () => {
  let loads = 0
  const load = remember(
    async () => {
      if (++loads === 1) throw new Error('not yet')
      return loads
    },
    1000,
    new TestClock(),
  )
  await expect(load()).rejects.toThrow('not yet')
  expect(await load()).toBe(2)
})
