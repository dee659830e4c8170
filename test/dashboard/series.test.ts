import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../dist/server/concurrency/deferred.js'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe.skipIf(!chromiumPath)('a long series of uploads in the dashboard', () => {
  const shared = shareServer()
  const browser = shareBrowser()

  async function open(username: string, path = '/') {
    const page = await browser.signedIn(shared.server.url, { username, path, keepsTrayOpen: true })
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    return { page, caller }
  }

  /** One small upload after another, until `seen` is. */
  async function uploadUntil(caller: Caller, seen: Promise<unknown>): Promise<void> {
    let isSeen = false
    const end = seen.finally(() => {
      isSeen = true
    })
    end.catch(() => {})
    while (!isSeen) await caller.put('again.txt', 'x')
    await end
  }

  it('is listed under Files while it is in progress', async () => {
    const { page, caller } = await open('lister')
    await page.getByText('No files yet').waitFor()
    await uploadUntil(caller, page.locator('[data-file="again.txt"]').waitFor())
  })

  it('is in the list of jobs while it is in progress', async () => {
    const { page, caller } = await open('historian', '/jobs')
    await page.getByText('Nothing yet').waitFor()
    const row = page.getByRole('article', { name: 'Upload again.txt' }).filter({ hasText: 'done' })
    await uploadUntil(caller, row.first().waitFor())
  })

  it('keeps the current file visible, and shows the progress of the whole series', async () => {
    const { page, caller } = await open('dropper')
    const folder = await temporaryFolder()
    const names = Array.from({ length: 9 }, (_, index) => `${index + 1}.txt`)
    for (const name of names) await writeFile(join(folder, name), 'x'.repeat(10))
    // The first is held until all are chosen, the eighth so that the series pauses before its end.
    const held = { '1.txt': deferred(), '8.txt': deferred() }
    await page.route('**/tus', async (route) => {
      const metadata = route.request().headers()['upload-metadata'] ?? ''
      for (const [name, gate] of Object.entries(held)) {
        if (metadata.includes(Buffer.from(name).toString('base64'))) await gate.promise
      }
      await route.continue()
    })
    // Files that are chosen together would be one job.
    for (const name of names) await page.getByLabel('Upload files').setInputFiles(join(folder, name))
    const panel = page.getByRole('region', { name: 'Uploads and downloads of this page' })
    await panel.getByText('0 of 9 files', { exact: false }).waitFor()
    held['1.txt'].resolve()
    await panel.getByText('7 of 9 files', { exact: false }).waitFor()
    expect(await panel.getByRole('progressbar', { name: 'All uploads' }).getAttribute('aria-valuenow')).toBe('78')
    const shown = panel.getByRole('article')
    expect(await shown.first().getAttribute('data-upload')).toBe('8.txt')
    expect(await shown.nth(1).getAttribute('data-upload')).toBe('9.txt')
    held['8.txt'].resolve()
    await panel.getByText('Uploaded 9 files').waitFor()
    expect(await caller.names()).toEqual(names)
  })
})
