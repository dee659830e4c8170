import { expect, it, onTestFinished } from 'vitest'
import { RowsEngine } from '../../../dist/server/tables/rows-engine.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

/** Takes minutes. */
const slow = 'SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1'

it('one account’s row requests do not block others, and are rejected when 64 are queued', async () => {
  const engine = new RowsEngine(await temporaryFolder())
  onTestFinished(() => engine.close())
  const controllers = Array.from({ length: 67 }, () => new AbortController())
  const requests = controllers.map(({ signal }) => engine.rows([slow], 'user:ann', signal))
  await expect(requests.at(-1)).rejects.toMatchObject({ code: 'busy', status: 503 })
  const { signal } = new AbortController()
  expect(await engine.rows(['SELECT 1'], 'user:bob', signal)).toEqual([[1]])
  const reason = new Error('the client left')
  for (const controller of controllers) controller.abort(reason)
  const outcomes = await Promise.allSettled(requests.slice(0, -1))
  expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason === reason)).toBe(true)
  expect(await engine.rows(['SELECT 2'], 'user:ann', signal)).toEqual([[2]])
})
