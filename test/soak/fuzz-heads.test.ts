import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { exchange, expectSound, mutations } from '../helpers/fuzz.js'
import { checkAsync } from '../helpers/properties.js'
import { statusesIn } from '../helpers/raw-connection.js'
import { startTestServer } from '../helpers/server.js'
import { headSeeds, headTokens } from './corpus.js'

it('a request of any bytes is answered or disconnected, and the server stays healthy', async () => {
  const server = await startTestServer({ shutdownGraceMs: 0 })
  onTestFinished(() => server.close())
  const ann = new Caller(server, await server.logIn('ann'))
  await ann.put('a', 'content')
  const token = await server.logIn('ann')
  const seeds = headSeeds.map((seed) => seed.replaceAll('TOKEN', token))
  const statuses = new Map<number, number>()
  const survives = fc.asyncProperty(mutations(seeds, headTokens), async (bytes) => {
    const answers = await exchange(server.url, bytes)
    for (const status of statusesIn(answers)) statuses.set(status, (statuses.get(status) ?? 0) + 1)
    expect(answers).toMatch(/^(HTTP\/1\.1 [1-5]\d\d |$)/)
    await expectSound(server, ann, answers)
  })
  await checkAsync(survives, 200)
  console.log(Object.fromEntries(statuses))
})
