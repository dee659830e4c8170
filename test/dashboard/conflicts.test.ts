import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const layouts = [
  ['on a desktop', { viewport: { width: 1440, height: 900 } }],
  ['on a phone', { viewport: { width: 390, height: 780 }, isMobile: true }],
] as const

describe.skipIf(!chromiumPath)('uploads of names that exist', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  /** Chooses a folder of which `a.tar.gz` and `b.txt` exist with other content, and `same.txt` with the same. */
  async function choose(options: object = {}) {
    const username = `repeater-${++people}`
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    for (const name of ['a.tar.gz', 'b.txt']) await caller.put(`set/${name}`, `older ${name}`)
    await caller.put('set/same.txt', 'new same.txt')
    const page = await browser.signedIn(shared.server.url, { username, keepsTrayOpen: true, ...options })
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'set'))
    for (const name of ['a.tar.gz', 'b.txt', 'same.txt', 'new.txt'])
      await writeFile(join(folder, 'set', name), `new ${name}`)
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'set'))
    const card = page.getByRole('group', { name: 'Files that exist already' })
    await card.getByText('2 files exist already.').waitFor()
    const content = async (name: string) => `${(await caller.call(`/files/set/${encodeURI(name)}`)).body}`
    return { page, caller, card, content }
  }

  const upload = (page: Page, name: string) => page.locator(`[data-upload="${name}"]`)

  it.each(layouts)('are asked about once, and those with the same content not at all, %s', async (_, layout) => {
    const { page, card, content } = await choose(layout)
    await upload(page, 'set/same.txt').getByText('the same was there already').waitFor()
    await upload(page, 'set/b.txt')
      .getByText(/^9 B, .* a file of this name exists: 11 B, /)
      .waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(layout.viewport.width)
    await card.getByRole('button', { name: 'Replace all' }).click()
    await card.waitFor({ state: 'detached' })
    await expect.poll(() => content('b.txt')).toBe('new b.txt')
    await expect.poll(() => content('a.tar.gz')).toBe('new a.tar.gz')
  })

  it('can be skipped', async () => {
    const { caller, card, content } = await choose()
    await card.getByRole('button', { name: 'Skip all' }).click()
    await card.waitFor({ state: 'detached' })
    expect(await content('b.txt')).toBe('older b.txt')
    expect(await caller.names()).toEqual(['set/a.tar.gz', 'set/b.txt', 'set/new.txt', 'set/same.txt'])
  })

  it('can be kept beside the existing ones, with a number', async () => {
    const { caller, card, content } = await choose()
    await caller.put('set/b%20(2).txt', 'another')
    await card.getByRole('button', { name: 'Keep both' }).click()
    await card.waitFor({ state: 'detached' })
    await expect.poll(() => content('b (3).txt')).toBe('new b.txt')
    await expect.poll(() => content('a (2).tar.gz')).toBe('new a.tar.gz')
    expect(await content('b.txt')).toBe('older b.txt')
  })

  it('can be decided one by one', async () => {
    const { page, card, content } = await choose()
    await upload(page, 'set/b.txt').getByRole('button', { name: 'Replace' }).click()
    await card.getByText('A file of this name exists already.').waitFor()
    await upload(page, 'set/a.tar.gz').getByRole('button', { name: 'Skip the upload of set/a.tar.gz' }).click()
    await card.waitFor({ state: 'detached' })
    await expect.poll(() => content('b.txt')).toBe('new b.txt')
    expect(await content('a.tar.gz')).toBe('older a.tar.gz')
  })
})
