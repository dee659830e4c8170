import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { choose, chromiumPath, contentOf, drop, rowOf, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const layouts = [
  ['on a desktop', { viewport: { width: 1440, height: 900 } }],
  ['on a phone', { viewport: { width: 390, height: 780 }, isMobile: true }],
] as const

describe.skipIf(!chromiumPath)('the folders of the dashboard', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  /** A page of an account that has these files. */
  async function openWith(files: Record<string, string>, options: object = {}) {
    const username = `owner-${++people}`
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    for (const [name, content] of Object.entries(files)) await caller.put(encodeURI(name), content)
    const page = await browser.signedIn(shared.server.url, { username, ...options })
    return { page, caller, row: (name: string) => rowOf(page, name) }
  }

  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true })
  const namesIn = (page: Page) =>
    page.locator('.entry-row[data-file]').evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.file))
  const pathOf = (page: Page) => page.evaluate(() => location.pathname + location.search)

  it.each(layouts)('open by their names, and by the links above; Back works, %s', async (_, layout) => {
    const files = { 'photos/2024/a.jpg': 'a', 'photos/2024/b.jpg': 'bcd', 'photos/c.jpg': 'c', 'notes.txt': 'n' }
    const { page, row } = await openWith(files, layout)
    await page.getByText('1 folder, 1 file · 6 B').waitFor()
    await row('photos/').getByText('3 files').waitFor()
    await row('photos/').getByText('5 B').waitFor()
    await row('photos/').getByRole('link').click()
    await heading(page, 'photos').waitFor()
    await row('photos/2024/').getByRole('link').click()
    await heading(page, '2024').waitFor()
    expect(await pathOf(page)).toBe('/files/photos/2024/')
    expect(await page.title()).toBe('2024 · filejobs')
    await page.getByText('2 files · 4 B').waitFor()
    expect(await namesIn(page)).toEqual(['photos/2024/a.jpg', 'photos/2024/b.jpg'])
    await page.goBack()
    await heading(page, 'photos').waitFor()
    await row('photos/c.jpg').waitFor()
    await page.goForward()
    await row('photos/2024/a.jpg').waitFor()
    await page.getByRole('navigation', { name: 'Folders above' }).getByRole('link', { name: 'Files' }).click()
    await row('notes.txt').waitFor()
    expect(await pathOf(page)).toBe('/files/')
    await page.goto(`${shared.server.url}/files/photos/2024/`)
    await row('photos/2024/b.jpg').waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(layout.viewport.width)
  })

  it('are sorted by name in natural order, by size and by date, in the address', async () => {
    const { page } = await openWith({ 'img 10.txt': 'x', 'img 2.txt': 'xxx', 'Img 1.txt': 'xx', 'z/below.txt': '' })
    const shows = (...names: string[]) => expect.poll(() => namesIn(page)).toEqual(names)
    await shows('z/', 'Img 1.txt', 'img 2.txt', 'img 10.txt')
    await page.getByRole('link', { name: 'Name' }).click()
    await shows('z/', 'img 10.txt', 'img 2.txt', 'Img 1.txt')
    expect(await pathOf(page)).toBe('/files/?order=desc')
    await page.getByRole('link', { name: 'Size' }).click()
    await shows('z/', 'img 10.txt', 'Img 1.txt', 'img 2.txt')
    expect(await page.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort')).toBe('ascending')
    await page.getByRole('link', { name: 'Changed' }).click()
    await shows('z/', 'img 10.txt', 'img 2.txt', 'Img 1.txt')
    await page.reload()
    await shows('z/', 'img 10.txt', 'img 2.txt', 'Img 1.txt')
    await rowOf(page, 'z/').getByRole('link').click()
    await rowOf(page, 'z/below.txt').waitFor()
    expect(await pathOf(page)).toBe('/files/z/?sort=date')
  })

  it('are searched with everything below them', async () => {
    const { page } = await openWith({ 'photos/2024/Beach.jpg': 'a', 'photos/cat.jpg': 'b', 'beach.txt': 'c' })
    await page.goto(`${shared.server.url}/files/photos/`)
    await page.getByLabel('Search files').fill('beach')
    await page.getByText('2024/Beach.jpg').waitFor()
    await expect.poll(() => namesIn(page)).toEqual(['photos/2024/Beach.jpg'])
    expect(await pathOf(page)).toBe('/files/photos/?search=beach')
    // It is in the name of the folder only.
    await page.getByLabel('Search files').fill('photos')
    await page.getByText('No file fits').waitFor()
    await page.getByLabel('Search files').fill('')
    await rowOf(page, 'photos/cat.jpg').waitFor()
  })

  it.each(layouts)('are made, renamed and removed, %s', async (_, layout) => {
    const { page, caller, row } = await openWith({ 'in/report.tar.gz': 'x' }, layout)
    await row('in/').getByRole('link').click()
    await page.getByRole('button', { name: 'New folder' }).click()
    await page.getByLabel('Name of the folder').fill('drafts')
    await page.keyboard.press('Enter')
    await row('in/drafts/').getByText('0 files').waitFor()
    await page.getByRole('button', { name: 'New folder' }).click()
    await page.getByLabel('Name of the folder').fill('drafts')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('already something with the name in/drafts/').waitFor()
    await page.keyboard.press('Escape')
    await choose(page, 'in/report.tar.gz', 'Rename …')
    const field = page.getByLabel('New name')
    expect(await field.inputValue()).toBe('report.tar.gz')
    await page.keyboard.type('year')
    await page.keyboard.press('Enter')
    await row('in/year.tar.gz').waitFor()
    await choose(page, 'in/drafts/', 'Rename …')
    await page.keyboard.type('old')
    await page.keyboard.press('Enter')
    await row('in/old/').waitFor()
    expect(await caller.names()).toEqual(['in/year.tar.gz'])
    await page.getByRole('navigation', { name: 'Folders above' }).getByRole('link').click()
    await choose(page, 'in/', 'Delete')
    await row('in/').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Undo' }).click()
    await row('in/').waitFor()
    await choose(page, 'in/', 'Delete')
    await page.goto('about:blank')
    await expect.poll(() => caller.names()).toEqual([])
  })

  it('that are about to be removed stay if something is uploaded into them meanwhile', async () => {
    const { page, caller, row } = await openWith({ 'in/a.txt': 'a' }, { prepare: (page: Page) => page.clock.install() })
    await choose(page, 'in/', 'Delete')
    await row('in/').waitFor({ state: 'detached' })
    await caller.put('in/b.txt', 'b')
    await page.getByRole('region', { name: 'Messages' }).getByText('uploaded into it meanwhile').waitFor()
    await page.clock.fastForward(20_000)
    await row('in/').getByText('2 files').waitFor()
    expect(await caller.names()).toEqual(['in/a.txt', 'in/b.txt'])
  })

  it('receive what is dropped or chosen while they are open, or dropped onto their row', async () => {
    const { page, caller, row } = await openWith({ 'in/there.txt': 'x', 'in/deep/x.txt': 'x' })
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'set/sub'), { recursive: true })
    for (const name of ['one.txt', 'two.txt', 'set/three.txt', 'set/sub/four.txt'])
      await writeFile(join(folder, name), name)
    await row('in/').getByRole('link').click()
    await row('in/there.txt').waitFor()
    await page.getByLabel('Upload files').setInputFiles(join(folder, 'one.txt'))
    await row('in/one.txt').waitFor()
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'set'))
    await row('in/set/').getByText('2 files').waitFor()
    await drop(page, [join(folder, 'two.txt')], row('in/deep/'))
    await expect
      .poll(() => caller.names())
      .toEqual([
        'in/deep/two.txt',
        'in/deep/x.txt',
        'in/one.txt',
        'in/set/sub/four.txt',
        'in/set/three.txt',
        'in/there.txt',
      ])
    await drop(
      page,
      [join(folder, 'one.txt'), join(folder, 'two.txt')],
      page.getByRole('link', { name: 'Files' }).last(),
    )
    await expect.poll(async () => (await caller.names()).slice(-2)).toEqual(['one.txt', 'two.txt'])
  })

  it.each(layouts)('are downloaded as an archive, %s', async (_, layout) => {
    const { page, caller } = await openWith({ 'set/a.txt': 'content of a' }, layout)
    const coming = page.waitForEvent('download')
    await choose(page, 'set/', 'Download as ZIP')
    const download = await coming
    expect(download.suggestedFilename()).toBe('set.zip')
    expect((await contentOf(download)).includes('content of a')).toBe(true)
    expect((await caller.findJob('kind=export&state=done')).file).toBe('set/')
  })
})
