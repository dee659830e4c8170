import { randomBytes, randomInt } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { Upload } from 'tus-js-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { type CuttingProxy, openCuttingProxy } from '../helpers/cutting-proxy.js'
import { eventually, within } from '../helpers/eventually.js'
import { openClient } from '../helpers/program.js'
import { type ServeProcess, startServe } from '../helpers/serve.js'
import { sha256Of } from '../helpers/tus.js'
import { uploadFromPage } from '../helpers/tus-page.js'

const mebibyte = 1024 ** 2
const bytes = 200 * mebibyte
/** So many that the server is back before they are used up. */
const patience = Array<number>(40).fill(250)
/** Few, so that they are used up soon: a stop between two connections of an upload is answered 423, which clients retry. */
const impatience = Array<number>(8).fill(250)
const limitMs = 300_000

/** A server that can be killed, and a way to it that is cut 20 times at random while 200 MiB pass. */
async function openLab() {
  let server: ServeProcess = await startServe()
  const signup = { method: 'POST', body: { username: 'ann', password: 'correct horse' } }
  const { token } = (await new Caller(server, '').call('/auth/signup', signup)).json
  const cuts = Array.from({ length: 20 }, () => randomInt(mebibyte, 9 * mebibyte))
  const proxy = await openCuttingProxy(() => server.url, cuts)
  return {
    token: token as string,
    proxy,
    /** Kills the server and starts it again, twice on the way. */
    async killTwice() {
      for (const after of [7, 14]) {
        await eventually(`${after} cuts`, () => proxy.cuts >= after, 60_000)
        server.child.kill('SIGKILL')
        await server.ended()
        server = await startServe({ dataFolder: server.dataFolder })
      }
    },
    /** Everything has arrived, by one job. */
    async expectWhole(name: string, sha256: string | undefined) {
      expect(proxy.cuts).toBe(20)
      const { body } = await new Caller(server, token).call(`/files/${name}`)
      expect(sha256Of(body)).toBe(sha256)
      expect(await states(new Caller(server, token))).toEqual(['done'])
    },
    /** Stops the only upload after ten cuts, when it is in that state. */
    async stopWhile(state: 'running' | 'interrupted') {
      await eventually('ten cuts', () => proxy.cuts >= 10, 60_000)
      const caller = new Caller(server, token)
      const [{ id }] = (await caller.call('/jobs?kind=upload')).json.jobs
      if (state === 'running') await caller.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: mebibyte } })
      await eventually(`it is ${state}`, async () => (await caller.job(id)).state === state, 60_000)
      expect((await caller.post(`/jobs/${id}/stop`)).status).toBe(200)
    },
    /** Nothing is left of the stopped uploads, and none was started again. */
    async expectStopped() {
      const caller = new Caller(server, token)
      expect(await states(caller)).toEqual(['stopped'])
      expect(await caller.names()).toEqual([])
    },
  }
}

type Lab = Awaited<ReturnType<typeof openLab>>

async function states(caller: Caller): Promise<string[]> {
  const { jobs } = (await caller.call('/jobs?kind=upload')).json
  return jobs.map(({ state }: { state: string }) => state)
}

/** Nothing comes through any more, for much longer than a client waits before it tries again. */
async function expectSilence(proxy: CuttingProxy): Promise<void> {
  const atEnd = proxy.bytes
  // Bytes in the buffers of the client's system are still sent; the rest of the file is not.
  await delay(1000)
  const before = proxy.bytes
  expect(before - atEnd).toBeLessThan(16 * mebibyte)
  await delay(2000)
  expect(proxy.bytes).toBe(before)
}

describe('200 MiB over a connection that is cut 20 times, the server killed twice', () => {
  it('are uploaded whole by tus-js-client in Node', async () => {
    const lab = await openLab()
    const content = randomBytes(bytes)
    const { ended } = uploadFromNode(lab, content, patience)
    await lab.killTwice()
    await within('the upload', ended, limitMs)
    await lab.expectWhole('video.bin', sha256Of(content))
  })

  it('are uploaded whole by `filejobs upload`', async () => {
    const lab = await openLab()
    const content = randomBytes(bytes)
    const client = await openClient(lab.proxy.url, lab.token)
    await writeFile(`${client.home}/large.bin`, content)
    const upload = client.start(['upload', 'large.bin', '--json'], { input: '' })
    await lab.killTwice()
    expect(await within('the upload', upload.ended(), limitMs), upload.stderr).toBe(0)
    await lab.expectWhole('large.bin', sha256Of(content))
  })
})

describe.each(['running', 'interrupted'] as const)('200 MiB, stopped after ten cuts while %s,', (state) => {
  it('make tus-js-client in Node fail, and it sends no more', async () => {
    const lab = await openLab()
    const { ended } = uploadFromNode(lab, randomBytes(bytes), impatience)
    await lab.stopWhile(state)
    const error = await within(
      'it gives up',
      ended.catch((reason: Error) => reason),
    )
    expect(String(error)).toMatch(/response code: (410|423)/)
    await expectSilence(lab.proxy)
    await lab.expectStopped()
  })

  it('make `filejobs upload` exit with 9, and it sends no more', async () => {
    const lab = await openLab()
    const client = await openClient(lab.proxy.url, lab.token)
    await writeFile(`${client.home}/large.bin`, randomBytes(bytes))
    const upload = client.start(['upload', 'large.bin'], { input: '' })
    await lab.stopWhile(state)
    expect(await within('it gives up', upload.ended()), upload.stderr).toBe(9)
    await expectSilence(lab.proxy)
    await lab.expectStopped()
  })
})

describe.skipIf(!chromiumPath)('200 MiB from a page over a connection that is cut', () => {
  const browser = shareBrowser()

  it('20 times, the server killed twice, are uploaded whole by tus-js-client', async () => {
    const lab = await openLab()
    const upload = { username: 'ann', bytes, retryDelays: patience }
    const { ended } = await uploadFromPage(browser, lab.proxy.url, upload)
    await lab.killTwice()
    const { sha256 } = await within('the upload', ended, limitMs)
    await lab.expectWhole('from-a-page.bin', sha256)
  })

  it.each(['running', 'interrupted'] as const)('stopped while %s make it fail, and it sends no more', async (state) => {
    const lab = await openLab()
    const upload = { username: 'ann', bytes, retryDelays: impatience }
    const { ended, requests } = await uploadFromPage(browser, lab.proxy.url, upload)
    await lab.stopWhile(state)
    expect((await within('it gives up', ended)).status).toSatisfy((status) => status === 410 || status === 423)
    const sent = [...requests]
    await delay(2000)
    expect(requests).toEqual(sent)
    await lab.expectStopped()
  })
})

/** An upload by the most used client of tus, begun. */
function uploadFromNode({ proxy, token }: Pick<Lab, 'proxy' | 'token'>, content: Buffer, retryDelays: number[]) {
  let begun!: Upload
  const ended = new Promise<void>((resolve, reject) => {
    begun = new Upload(content, {
      endpoint: `${proxy.url}/tus`,
      headers: { Authorization: `Bearer ${token}` },
      metadata: { filename: 'video.bin', sha256: sha256Of(content) },
      retryDelays,
      onSuccess: () => resolve(),
      onError: reject,
    })
  })
  ended.catch(() => {})
  begun.start()
  onTestFinished(() => void begun.abort())
  return { ended }
}
