import { createHash, randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { shareServer } from '../helpers/shared-server.js'
import { uploadFromPage } from '../helpers/tus-page.js'

describe.skipIf(!chromiumPath)('tus-js-client in a real browser', () => {
  const shared = shareServer({ shutdownGraceMs: 0 })
  const browser = shareBrowser()
  const retryDelays = Array<number>(50).fill(30)

  it('uploads over a connection that breaks repeatedly, and the digest matches', async () => {
    const cuts = Array.from({ length: 20 }, () => randomInt(128 * 1024, 1024 ** 2))
    const proxy = await openCuttingProxy(shared.server.url, [40_000, ...cuts])
    const bytes = 24 * 1024 ** 2
    const { ended } = await uploadFromPage(browser, proxy.url, { username: 'tus-1', bytes, retryDelays })
    const { sha256 } = await ended
    expect(proxy.cuts).toBeGreaterThanOrEqual(20)
    const caller = new Caller(shared.server, await shared.server.logIn('tus-1'))
    const { body } = await caller.call('/files/from-a-page.bin')
    expect(body).toHaveLength(bytes)
    expect(createHash('sha256').update(body).digest('hex')).toBe(sha256)
  })

  it('stops retrying when its upload is stopped, and sends no more bytes', async () => {
    const caller = new Caller(shared.server, await shared.server.logIn('tus-2'))
    const proxy = await openCuttingProxy(shared.server.url)
    const headers = { 'Filejobs-Rate-Limit': String(1024 ** 2) }
    const upload = { username: 'tus-2', bytes: 8 * 1024 ** 2, retryDelays, headers }
    const { ended, requests } = await uploadFromPage(browser, proxy.url, upload)
    const { id } = await caller.findJob('kind=upload', ({ bytes }) => bytes > 0)
    const receipt = await caller.post(`/jobs/${id}/stop`)
    expect(receipt.status).toBe(200)
    proxy.cutAll()
    // 423 where the cut came before the answer, and it asked how far it is.
    expect([410, 423]).toContain((await ended).status)
    const sent = [...requests]
    // Much longer than it would wait before it tries again.
    await delay(500)
    expect(requests).toEqual(sent)
    expect((await caller.call('/jobs')).json.jobs.map((job: { state: string }) => job.state)).toEqual(['stopped'])
    expect(await caller.names()).toEqual([])
  })
})
