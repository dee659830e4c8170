import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, foreignHost, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { freePort } from '../helpers/ports.js'
import { startTestServer } from '../helpers/server.js'
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

  it.each(layouts)('are compared by size, date and digest, side by side, %s', async (_, layout) => {
    const prepare = (page: Page) => page.addInitScript(axe)
    const { page, card } = await choose({ ...layout, colorScheme: 'light', prepare })
    const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')
    await card.getByText('Compare', { exact: true }).click()
    const compared = page.locator('[data-compared="set/b.txt"]')
    for (const [label, own, existing] of [
      ['Size', '9 B', '11 B'],
      ['SHA-256', digestOf('new b.txt').slice(0, 12), digestOf('older b.txt').slice(0, 12)],
    ] as const) {
      const cells = compared.getByRole('row', { name: label }).getByRole('cell')
      await expect.poll(() => cells.allTextContents()).toEqual([own, existing])
    }
    expect(await compared.getByRole('row', { name: 'Changed' }).getByRole('cell').first().textContent()).toMatch(
      /20\d\d/,
    )
    expect(await compared.locator('code').first().getAttribute('title')).toBe(digestOf('new b.txt'))
    expect(await findFaults(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(layout.viewport.width)
  })

  it('are not asked about if they are the same, also on a page without https', async () => {
    const username = 'repeater-plain'
    const content = Buffer.alloc(3 * 1024 ** 2, 'some text ')
    const port = await freePort()
    const url = `http://${foreignHost}:${port}`
    const server = await startTestServer({ port, publicUrl: url })
    onTestFinished(() => server.close())
    await new Caller(server, await server.logIn(username)).put('same.bin', content)
    const page = await browser.signedIn(url, { username, keepsTrayOpen: true })
    expect(await page.evaluate(() => isSecureContext)).toBe(false)
    const path = join(await temporaryFolder(), 'same.bin')
    await writeFile(path, content)
    await page.getByLabel('Upload files').setInputFiles(path)
    await upload(page, 'same.bin').getByText('the same was there already').waitFor()
  })

  it('are compared and decided by keys alone', async () => {
    const { page, caller, card, content } = await choose()
    const focused = () => page.evaluate(() => document.activeElement?.textContent)
    await card.getByRole('button', { name: 'Replace all' }).focus()
    for (const words of ['Skip all', 'Keep both', 'Compare']) {
      await page.keyboard.press('Tab')
      expect(await focused()).toBe(words)
    }
    await page.keyboard.press('Enter')
    await page.locator('[data-compared="set/b.txt"]').waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
      'Comparison of the files',
    )
    for (const _ of [1, 2]) await page.keyboard.press('Shift+Tab')
    expect(await focused()).toBe('Keep both')
    await page.keyboard.press('Enter')
    await card.waitFor({ state: 'detached' })
    await expect.poll(async () => (await caller.names()).length).toBe(6)
    expect(await content('b.txt')).toBe('older b.txt')
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
