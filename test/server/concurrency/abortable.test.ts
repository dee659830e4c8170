import { expect, it } from 'vitest'
import { unlessAborted } from '../../../dist/server/concurrency/abortable.js'

it('an abortable promise rejects as soon as the signal aborts, and removes its listener', async () => {
  const controller = new AbortController()
  const never = unlessAborted(new Promise(() => {}), controller.signal)
  controller.abort(new Error('enough'))
  await expect(never).rejects.toThrow('enough')
  expect(await unlessAborted(Promise.resolve(7), new AbortController().signal)).toBe(7)
})

it('an abortable promise causes no unhandled rejection, whichever of the two happens first', async () => {
  const aborted = AbortSignal.abort(new Error('enough'))
  await expect(unlessAborted(Promise.reject(new Error('late')), aborted)).rejects.toThrow('enough')
  const controller = new AbortController()
  const work = new Promise((_, reject) => setImmediate(() => reject(new Error('late'))))
  const result = unlessAborted(work, controller.signal)
  controller.abort(new Error('enough'))
  await expect(result).rejects.toThrow('enough')
  // Vitest fails the run by an unhandled rejection, which Node reports by now.
  await new Promise((resolve) => setTimeout(resolve, 10))
})
