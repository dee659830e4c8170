import { createHash, randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { shareServer } from '../helpers/shared-server.js'

const client = readFileSync(
  join(createRequire(import.meta.url).resolve('tus-js-client'), '../../../dist/tus.min.js'),
  'utf8',
)

interface TusPage {
  tus: {
    Upload: new (file: File, options: object) => { start(): void; url: string | null }
  }
}

describe.skipIf(!chromiumPath)('tus-js-client in a real browser', () => {
  const shared = shareServer({ shutdownGraceMs: 0 })
  const browser = shareBrowser()

  /** Lets the client on the page upload `bytes` random ones, and gives their digest, or the status that ended it. */
  async function upload(url: string, username: string, bytes: number, headers: Record<string, string> = {}) {
    const page = await browser.signedIn(url, { username, prepare: (page) => page.addInitScript(client) })
    return page.evaluate(
      async ({ size, more }) => {
        const parts = Array.from({ length: size / 65_536 }, () => crypto.getRandomValues(new Uint8Array(65_536)))
        const file = new File(parts, 'from-a-page.bin')
        const { tus } = globalThis as unknown as TusPage
        try {
          await new Promise<void>((resolve, reject) => {
            new tus.Upload(file, {
              endpoint: '/tus',
              headers: { 'Filejobs-Csrf': '1', ...more },
              metadata: { filename: file.name },
              retryDelays: Array(50).fill(30),
              onSuccess: () => resolve(),
              onError: reject,
            }).start()
          })
        } catch (error) {
          const { originalResponse } = error as { originalResponse?: { getStatus(): number } }
          return { status: originalResponse?.getStatus() ?? String(error) }
        }
        const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
        return { sha256: [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('') }
      },
      { size: bytes, more: headers },
    )
  }

  it('uploads through a connection that breaks again and again, and the digest fits', async () => {
    const cuts = Array.from({ length: 20 }, () => randomInt(128 * 1024, 1024 ** 2))
    const proxy = await openCuttingProxy(shared.server.url, [40_000, ...cuts])
    const { sha256 } = await upload(proxy.url, 'tus-1', 24 * 1024 ** 2)
    expect(proxy.cuts).toBeGreaterThanOrEqual(20)
    const caller = new Caller(shared.server, await shared.server.logIn('tus-1'))
    const { body } = await caller.call('/files/from-a-page.bin')
    expect(body).toHaveLength(24 * 1024 ** 2)
    expect(createHash('sha256').update(body).digest('hex')).toBe(sha256)
  })

  it('gives up when its upload is stopped, and sends nothing more', async () => {
    const caller = new Caller(shared.server, await shared.server.logIn('tus-2'))
    const proxy = await openCuttingProxy(shared.server.url)
    const ended = upload(proxy.url, 'tus-2', 8 * 1024 ** 2, { 'Filejobs-Rate-Limit': String(1024 ** 2) })
    const { id } = await caller.findJob('kind=upload', ({ bytes }) => bytes > 0)
    const receipt = await caller.post(`/jobs/${id}/stop`)
    expect(receipt.status).toBe(200)
    proxy.cutAll()
    expect((await ended).status).toBe(410)
    expect((await caller.call('/jobs')).json.jobs.map((job: { state: string }) => job.state)).toEqual(['stopped'])
    expect(await caller.names()).toEqual([])
  })
})
