import { describe, expect, it } from 'vitest'
import { type Caller, holdUpload } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { endless, rateOf } from '../helpers/rates.js'
import { hasCluster, startCluster } from './helpers/servers.js'

const kibibyte = 1024
const limit = 512 * kibibyte
const args = ['--rate-limit-per-account', String(limit), '--jobs-per-account', '2']

describe.skipIf(!hasCluster)('the rate limit of an account on two servers', () => {
  it('holds for the sum of its transfers, and is that of one again when the other has ended', async () => {
    const callers = await (await startCluster(2, { args })).logIn('ann')
    const [first, second] = callers as [Caller, Caller]
    const here = await startUpload(first, 'here')
    await eventually('one alone has the whole limit', async () => (await rateOf(first, here, 2)) > 0.8 * limit)
    const there = await startUpload(second, 'there')
    await eventually('both move', async () => (await second.job(there)).bytes > 0)
    const rates = await Promise.all([rateOf(first, here, 3), rateOf(second, there, 3)])
    expect(rates[0] + rates[1]).toBeLessThan(1.25 * limit)
    for (const rate of rates) expect(rate).toBeGreaterThan(0.3 * limit)
    await second.post(`/jobs/${there}/pause`)
    await eventually('a paused one leaves it to the other', async () => (await rateOf(first, here, 2)) > 0.8 * limit)
    for (const id of [here, there]) await first.post(`/jobs/${id}/stop`)
  })
})

/** Returns the id of an upload that has no end. */
async function startUpload(caller: Caller, name: string): Promise<string> {
  const { id, request, answer } = await holdUpload(caller, name, { size: 2 ** 32 })
  answer.catch(() => {})
  request.on('error', () => {})
  endless().pipe(request)
  return id
}
