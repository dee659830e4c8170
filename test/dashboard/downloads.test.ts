import { createHash, randomBytes } from 'node:crypto'
import type { Download, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { JobRecord } from '../../dist/protocol/jobs.js'
import { choose, chromiumPath, contentOf, rowOf, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'

const mebibyte = 1024 ** 2

describe.skipIf(!chromiumPath)('downloads of the dashboard', () => {
  const shared = shareServer({ rateLimitPerAccount: 8 * mebibyte })
  const browser = shareBrowser()
  let people = 0

  async function openWith(names: string[]) {
    const username = `fetcher-${++people}`
    const page = await browser.signedIn(shared.server.url, { username, keepsTrayOpen: true })
    const curl = new Caller(shared.server, await shared.server.logIn(username))
    const contents = new Map(names.map((name) => [name, randomBytes(8 * mebibyte)]))
    for (const [name, bytes] of contents) await curl.put(name, bytes)
    const downloads: Download[] = []
    page.on('download', (download) => downloads.push(download))
    const click = (name: string) => choose(page, name, 'Download')
    const waiting = (name: string) => page.locator(`[data-download="${name}"]`)
    return { page, curl, contents, downloads, click, waiting }
  }

  async function saved(download: Download): Promise<[string, string]> {
    return [download.suggestedFilename(), sha256(await contentOf(download))]
  }

  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

  function expectOneAfterAnother(jobs: JobRecord[]): void {
    const times = jobs.map(({ startedAt, endedAt }) => [startedAt!, endedAt!] as const).sort()
    for (const [index, [startedAt]] of times.entries()) {
      if (index > 0) expect(startedAt >= times[index - 1]![1]).toBe(true)
    }
  }

  it('are queued, are listed while they wait, and all complete', async () => {
    const names = ['a.bin', 'b.bin', 'c.bin']
    const { page, curl, contents, downloads, click, waiting } = await openWith(['held.bin', ...names])
    const held = await holdExport(curl, 'held.bin')
    await page.getByRole('link', { name: 'Transfers 1 running' }).waitFor()
    for (const name of names) {
      await click(name)
      await waiting(name).waitFor()
    }
    await waiting('b.bin').getByText('waits for a.bin to end').waitFor()
    await waiting('c.bin').getByText('waits for b.bin to end').waitFor()
    await held.stop()
    await expect.poll(() => downloads.length, { timeout: 60_000 }).toBe(3)
    await expect(page.locator('[data-download]').count()).resolves.toBe(0)
    expect(await Promise.all(downloads.map(saved))).toEqual(names.map((name) => [name, sha256(contents.get(name)!)]))
    const { jobs } = (await curl.call('/jobs?kind=export')).json
    expect(jobs.map(({ state }: JobRecord) => state)).toEqual(['done', 'done', 'done', 'stopped'])
    expectOneAfterAnother(jobs)
  })

  /** An export of the account from elsewhere, which has the slot until it is stopped. */
  async function holdExport(curl: Caller, name: string) {
    const held = curl.open(`/files/${name}`, { headers: { 'Filejobs-Rate-Limit': '1000' } })
    held.on('error', () => {})
    held.end()
    const { id } = await curl.findJob('kind=export&state=running')
    return { stop: () => curl.post(`/jobs/${id}/stop`) }
  }

  it('wait for an export of the account by another client, and can be skipped while they wait', async () => {
    const { page, curl, downloads, click, waiting } = await openWith(['a.bin', 'b.bin', 'c.bin'])
    const held = await holdExport(curl, 'a.bin')
    await page.getByRole('link', { name: 'Transfers 1 running' }).waitFor()
    for (const name of ['b.bin', 'c.bin']) {
      await click(name)
      await waiting(name).waitFor()
    }
    await page.getByRole('button', { name: 'Skip the download of b.bin' }).click()
    await waiting('b.bin').waitFor({ state: 'detached' })
    expect(downloads).toEqual([])
    await held.stop()
    await expect.poll(() => downloads.map((download) => download.suggestedFilename())).toEqual(['c.bin'])
  })

  it('of two tabs that start at the same time are queued by the server', async () => {
    const { page, curl, contents, downloads, click } = await openWith(['a.bin', 'b.bin'])
    const other: Page = await page.context().newPage()
    other.on('download', (download) => downloads.push(download))
    await other.goto(shared.server.url)
    await rowOf(other, 'b.bin').waitFor()
    await Promise.all([click('a.bin'), choose(other, 'b.bin', 'Download')])
    await expect.poll(() => downloads.length).toBe(2)
    const arrived = new Map(await Promise.all(downloads.map(saved)))
    expect(Object.fromEntries(arrived)).toEqual(
      Object.fromEntries([...contents].map(([name, bytes]) => [name, sha256(bytes)])),
    )
    expectOneAfterAnother((await curl.call('/jobs?kind=export')).json.jobs)
  })
})
