import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { chromiumPath, contentOf, rowOf, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'

const layouts = [
  ['on a desktop', { viewport: { width: 1440, height: 900 } }],
  ['on a phone', { viewport: { width: 390, height: 780 }, isMobile: true }],
] as const

describe.skipIf(!chromiumPath)('a selection of files in the dashboard', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  /** A page of an account that has these files, each with its name as content. */
  async function openWith(names: string[], options: object = {}) {
    const username = `picker-${++people}`
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    for (const name of names) await caller.put(encodeURI(name), `content of ${name}`)
    const page = await browser.signedIn(shared.server.url, { username, ...options })
    await rowOf(page, names[0]!.replace(/\/.*/, '/')).waitFor()
    const tick = (name: string, shift = false) =>
      page.getByLabel(`Select ${name}`, { exact: true }).click(shift ? { modifiers: ['Shift'] } : {})
    const bar = page.getByRole('toolbar', { name: 'Selection' })
    return { page, caller, tick, bar }
  }

  const selected = (page: Page) =>
    page.locator('[aria-selected=true]').evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.file))
  const focused = (page: Page) => page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.file)

  it.each(layouts)('is moved into a folder and back by one Undo, %s', async (_, layout) => {
    const { page, caller, tick, bar } = await openWith(['a.txt', 'b.txt', 'c.txt', 'in/x.txt'], layout)
    await tick('a.txt')
    await tick('b.txt')
    await bar.getByText('2 selected').waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(layout.viewport.width)
    await bar.getByRole('button', { name: 'Move to …' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('heading', { name: 'Move 2 items' }).waitFor()
    expect(await dialog.getByRole('button', { name: 'Move here' }).isDisabled()).toBe(true)
    await dialog.getByRole('button', { name: 'in', exact: true }).click()
    await dialog.getByRole('button', { name: 'Move to in' }).click()
    await page.getByText('Moved 2 items to in/').waitFor()
    await rowOf(page, 'a.txt').waitFor({ state: 'detached' })
    expect(await caller.names()).toEqual(['c.txt', 'in/a.txt', 'in/b.txt', 'in/x.txt'])
    await bar.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Undo' }).click()
    await rowOf(page, 'b.txt').waitFor()
    expect(await caller.names()).toEqual(['a.txt', 'b.txt', 'c.txt', 'in/x.txt'])
  })

  it('says what could not be moved', async () => {
    const { page, caller, tick, bar } = await openWith(['a.txt', 'b.txt', 'in/a.txt'])
    await tick('a.txt')
    await tick('b.txt')
    await bar.getByRole('button', { name: 'Move to …' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'in', exact: true }).click()
    await page.getByRole('button', { name: 'Move to in' }).click()
    await page.getByText('Not moved: a.txt').waitFor()
    await page.getByText('"in/a.txt" exists already.').waitFor()
    expect(await caller.names()).toEqual(['a.txt', 'in/a.txt', 'in/b.txt'])
  })

  it.each(layouts)('is deleted with one Undo for all, %s', async (_, layout) => {
    const prepare = (page: Page) => page.clock.install()
    const { page, caller, tick, bar } = await openWith(['a.txt', 'b.txt', 'c.txt', 'in/x.txt'], { ...layout, prepare })
    for (const name of ['a.txt', 'in/', 'c.txt']) await tick(name)
    await bar.getByRole('button', { name: 'Delete' }).click()
    await page.getByText('Deleted 3 items').waitFor()
    await rowOf(page, 'in/').waitFor({ state: 'detached' })
    expect(await page.getByRole('button', { name: 'Undo' }).count()).toBe(1)
    await page.getByRole('button', { name: 'Undo' }).click()
    await rowOf(page, 'in/').waitFor()
    expect(await caller.names()).toEqual(['a.txt', 'b.txt', 'c.txt', 'in/x.txt'])
    for (const name of ['a.txt', 'in/']) await tick(name)
    await bar.getByRole('button', { name: 'Delete' }).click()
    await rowOf(page, 'in/').waitFor({ state: 'detached' })
    await page.clock.fastForward(10_000)
    await expect.poll(() => caller.names()).toEqual(['b.txt', 'c.txt'])
  })

  it.each(layouts)('is downloaded: one file as it is, several as an archive, %s', async (_, layout) => {
    const { page, caller, tick, bar } = await openWith(['in/a & b.txt', 'in/deep/c.txt', 'in/d.txt'], layout)
    await page.goto(`${shared.server.url}/files/in/`)
    const get = async () => {
      const coming = page.waitForEvent('download')
      await bar.getByRole('button', { name: 'Download' }).click()
      return coming
    }
    await tick('in/a & b.txt')
    const one = await get()
    expect([one.suggestedFilename(), `${await contentOf(one)}`]).toEqual(['a & b.txt', 'content of in/a & b.txt'])
    await tick('in/deep/')
    const download = await get()
    expect(download.suggestedFilename()).toBe('in.zip')
    const archive = `${await contentOf(download)}`
    for (const name of ['a & b.txt', 'deep/c.txt']) expect(archive).toContain(`content of in/${name}`)
    expect(archive).not.toContain('content of in/d.txt')
    expect((await caller.findJob('kind=export&state=done', ({ file }) => file === 'in/')).files?.total).toBe(2)
  })

  it.each(layouts)('is downloaded however many names it has, %s', async (_, layout) => {
    const long = 'a long name that would not fit into an address '.repeat(4)
    const names = Array.from({ length: 60 }, (_, index) => `in/${index + 10} ${long}.txt`)
    const { page, caller, bar } = await openWith(names, { ...layout, keepsTrayOpen: true })
    await page.goto(`${shared.server.url}/files/in/`)
    await rowOf(page, names[0]!).waitFor()
    await page.keyboard.press('ControlOrMeta+a')
    await bar.getByText('60 selected').waitFor()
    await page.getByLabel(`Select ${names[0]}`, { exact: true }).click()
    await bar.getByText('59 selected').waitFor()
    const coming = page.waitForEvent('download')
    await bar.getByRole('button', { name: 'Download' }).click()
    const download = await coming
    expect(download.suggestedFilename()).toBe('in.zip')
    const archive = `${await contentOf(download)}`
    const numbers = new Set([...archive.matchAll(/(\d\d) a long name/g)].map(([, number]) => number))
    expect([numbers.size, numbers.has('10')]).toEqual([59, false])
    const job = await caller.findJob('kind=export&state=done', ({ file }) => file === 'in/')
    expect(job.files).toMatchObject({ total: 59, done: 59 })
    await page.locator('[data-begun="in/"]').getByText('done').waitFor()
  })

  it('says why it is not downloaded, and stays selected', async () => {
    const { page, caller, tick, bar } = await openWith(['a.txt', 'b.txt', 'c.txt'])
    await tick('a.txt')
    await tick('b.txt')
    await caller.call('/files/b.txt', { method: 'DELETE' })
    await bar.getByRole('button', { name: 'Download' }).click()
    await page.getByText('Not downloaded: files.zip').waitFor()
    await page.getByText('There is no file "b.txt".').waitFor()
    expect(await page.locator('[data-begun]').count()).toBe(0)
    await bar.getByText('2 selected').waitFor()
  })

  it('grows by Shift and Ctrl+A, also over rows that were not loaded yet', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `${index + 10}.txt`)
    const { page, tick, bar } = await openWith(names)
    await tick('12.txt')
    await tick('15.txt', true)
    expect(await selected(page)).toEqual(['12.txt', '13.txt', '14.txt', '15.txt'])
    await rowOf(page, '20.txt').click({ modifiers: ['ControlOrMeta'], position: { x: 400, y: 18 } })
    await bar.getByText('5 selected').waitFor()
    await rowOf(page, '11.txt').click({ position: { x: 400, y: 18 } })
    expect(await selected(page)).toEqual(['11.txt'])
    await page.keyboard.press('ControlOrMeta+a')
    await bar.getByText('12 selected').waitFor()
    await page.keyboard.press('Escape')
    await bar.waitFor({ state: 'detached' })
  })

  it('is worked with by keys alone', async () => {
    const { page, caller } = await openWith(['a.txt', 'b.txt', 'c.txt', 'in/x.txt'])
    await page.keyboard.press('ArrowDown')
    await expect.poll(() => focused(page)).toBe('in/')
    for (const _ of [1, 2]) await page.keyboard.press('ArrowDown')
    await expect.poll(() => focused(page)).toBe('b.txt')
    await page.keyboard.press('F2')
    await page.getByLabel('New name').waitFor()
    await page.keyboard.type('z')
    await page.keyboard.press('Enter')
    await rowOf(page, 'z.txt').waitFor()
    await expect.poll(() => focused(page)).toBe('z.txt')
    await page.keyboard.press('ControlOrMeta+x')
    await page.getByText('Cut z.txt').waitFor()
    for (const _ of [1, 2, 3]) await page.keyboard.press('ArrowUp')
    await expect.poll(() => focused(page)).toBe('in/')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'in' }).waitFor()
    await rowOf(page, 'in/x.txt').waitFor()
    await page.keyboard.press('ControlOrMeta+v')
    await rowOf(page, 'in/z.txt').waitFor()
    expect(await caller.names()).toEqual(['a.txt', 'c.txt', 'in/x.txt', 'in/z.txt'])
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Shift+ArrowDown')
    await expect.poll(() => selected(page)).toEqual(['in/x.txt', 'in/z.txt'])
    await page.keyboard.press('Delete')
    await page.getByText('Deleted 2 items').waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('search')
  })

  it('is dragged onto a folder, and onto one above', async () => {
    const { page, caller, tick } = await openWith(['a.txt', 'b.txt', 'c.txt', 'in/x.txt'])
    await tick('a.txt')
    await tick('b.txt')
    await rowOf(page, 'b.txt').dragTo(rowOf(page, 'in/'), { sourcePosition: { x: 500, y: 18 } })
    await page.getByText('Moved 2 items to in/').waitFor()
    await rowOf(page, 'in/').getByRole('link').click()
    await rowOf(page, 'in/x.txt').waitFor()
    const above = page.getByRole('navigation', { name: 'Folders above' }).getByRole('link')
    await rowOf(page, 'in/x.txt').dragTo(above, { sourcePosition: { x: 500, y: 18 } })
    await page.getByText('Moved x.txt to Files').waitFor()
    expect(await caller.names()).toEqual(['c.txt', 'in/a.txt', 'in/b.txt', 'x.txt'])
  })

  it('of what an ops account publishes can only be downloaded', async () => {
    const publisher = new Caller(shared.server, await shared.server.logIn('pickdepot', 'ops'))
    for (const name of ['a.txt', 'b.txt', 'c.txt']) await publisher.put(name, `content of ${name}`)
    const page = await browser.signedIn(shared.server.url, { role: 'client', path: '/published/pickdepot/' })
    for (const name of ['a.txt', 'b.txt']) await page.getByLabel(`Select ${name}`).click()
    const bar = page.getByRole('toolbar', { name: 'Selection' })
    expect(await bar.getByRole('button').allInnerTexts()).toEqual(['', 'Download'])
    await page.keyboard.press('Delete')
    const coming = page.waitForEvent('download')
    await bar.getByRole('button', { name: 'Download' }).click()
    const archive = `${await contentOf(await coming)}`
    expect([archive.includes('content of b.txt'), archive.includes('content of c.txt')]).toEqual([true, false])
  })
})
