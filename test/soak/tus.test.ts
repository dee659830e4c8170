import { randomBytes, randomInt } from 'node:crypto'
import { Upload } from 'tus-js-client'
import { expect, it } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { eventually, within } from '../helpers/eventually.js'
import { startServe } from '../helpers/serve.js'
import { sha256Of } from '../helpers/tus.js'

const mebibyte = 1024 ** 2

it('tus-js-client uploads 200 MiB while its connection is cut 20 times and the server is killed twice', async () => {
  const content = randomBytes(200 * mebibyte)
  let server = await startServe()
  const signup = { method: 'POST', body: { username: 'ann', password: 'correct horse' } }
  const { token } = (await new Caller(server, '').call('/auth/signup', signup)).json
  const cuts = Array.from({ length: 20 }, () => randomInt(mebibyte, 9 * mebibyte))
  const proxy = await openCuttingProxy(() => server.url, cuts)
  const ended = new Promise<void>((resolve, reject) => {
    new Upload(content, {
      endpoint: `${proxy.url}/tus`,
      headers: { Authorization: `Bearer ${token}` },
      metadata: { filename: 'video.bin', sha256: sha256Of(content) },
      retryDelays: Array(40).fill(250),
      onSuccess: () => resolve(),
      onError: reject,
    }).start()
  })
  ended.catch(() => {})
  for (const after of [7, 14]) {
    await eventually(`${after} cuts`, () => proxy.cuts >= after, 60_000)
    server.child.kill('SIGKILL')
    await server.ended()
    server = await startServe({ dataFolder: server.dataFolder })
  }
  await within('the upload', ended, 120_000)
  expect(proxy.cuts).toBe(20)
  const caller = new Caller(server, token)
  expect(sha256Of((await caller.call('/files/video.bin')).body)).toBe(sha256Of(content))
  const { jobs } = (await caller.call('/jobs?kind=upload')).json
  expect(jobs.map(({ state }: { state: string }) => state)).toEqual(['done'])
}, 300_000)
