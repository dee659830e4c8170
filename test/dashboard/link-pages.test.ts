import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { ShareRecord } from '../../dist/protocol/shares.js'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, contentOf, shareBrowser } from '../helpers/browser.js'
import { eventually } from '../helpers/eventually.js'
import { shareServer } from '../helpers/shared-server.js'

const desktop = { viewport: { width: 1280, height: 800 } }
const phone = { viewport: { width: 320, height: 640 }, isMobile: true }
const layouts = [
  ['on a desktop', desktop],
  ['on a phone', phone],
] as const

describe.skipIf(!chromiumPath)('the page of a link', () => {
  const shared = shareServer()
  const browser = shareBrowser()

  async function makeLink(files: Record<string, string | Buffer>, terms: object) {
    const ann = await shared.newCaller()
    for (const [name, content] of Object.entries(files)) await ann.put(encodeURI(name), content)
    const { status, json } = await ann.post('/shares', { expiresIn: 600, ...terms })
    expect(status).toBe(201)
    return { ann, ...(json as ShareRecord) }
  }

  /** Evaluated by the debugger, so that the page's own policy stays as strict as it is. */
  async function openPage(url: string, options: object): Promise<Page> {
    const page = await (await browser.newWindow({ colorScheme: 'light', ...options })).newPage()
    await page.addInitScript(axe)
    await page.goto(url)
    return page
  }

  /** No fault for axe, and nothing that scrolls sideways. */
  async function check(page: Page): Promise<void> {
    expect(await findFaults(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
  }

  it.each(layouts)('asks for the password, shows the file and downloads it, %s', async (_, layout) => {
    const name = `${'a long name '.repeat(12)}.txt`
    const terms = { filename: name, password: 'the password', note: 'Please <b>read</b> this.', maxDownloads: 1 }
    const { ann, url } = await makeLink({ [name]: 'some text' }, terms)
    const page = await openPage(url, layout)
    await page.getByRole('heading', { name: 'This link has a password' }).waitFor()
    await check(page)
    await page.keyboard.type('wrong password')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('not the password').waitFor()
    await check(page)
    await page.getByLabel('Password').fill('the password')
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByRole('heading', { name }).waitFor()
    await page.getByText('Please <b>read</b> this.').waitFor()
    await page.getByText('1 of 1').waitFor()
    await check(page)
    const downloading = page.waitForEvent('download')
    await page.getByRole('link', { name: /^Download/ }).click()
    expect(String(await contentOf(await downloading))).toBe('some text')
    await eventually('it is counted', async () => (await ann.call('/shares')).json.shares[0].downloads === 1)
    await page.getByRole('link', { name: /^Download/ }).click()
    await page.getByRole('heading', { name: 'This link has been used up' }).waitFor()
    await check(page)
  })

  it.each(layouts)('lists a folder, leads into those below it, and downloads all of it, %s', async (_, layout) => {
    const files = { 'top/photos/a file.txt': 'a', [`top/photos/sub/${'b'.repeat(80)}`]: 'b' }
    const { url } = await makeLink(files, { filename: 'top/photos/' })
    const page = await openPage(url, layout)
    await page.getByRole('heading', { name: 'photos/' }).waitFor()
    await check(page)
    const downloading = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download all as ZIP' }).click()
    const download = await downloading
    expect(download.suggestedFilename()).toBe('photos.zip')
    expect((await contentOf(download)).toString('latin1')).toContain('photos/a file.txt')
    await page.getByRole('link', { name: 'sub/' }).click()
    await page.getByRole('heading', { name: 'photos/sub/' }).waitFor()
    await check(page)
    await page.goBack()
    const another = page.waitForEvent('download')
    await page.getByRole('link', { name: 'a file.txt' }).click()
    expect(String(await contentOf(await another))).toBe('a')
  })

  it('shows an image, which is no download', async () => {
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const { ann, url } = await makeLink({ 'a.png': Buffer.from(pixel, 'base64') }, { filename: 'a.png' })
    const page = await openPage(url, desktop)
    const image = page.getByRole('img', { name: 'Preview' })
    await expect.poll(() => image.evaluate((element) => (element as HTMLImageElement).naturalWidth)).toBe(1)
    await check(page)
    expect((await ann.call('/shares')).json.shares).toMatchObject([{ opened: 1, downloads: 0 }])
  })
})
