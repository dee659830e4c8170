import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { choose, chromiumPath, drop, type SignedInOptions, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const mebibyte = 1024 ** 2

const layouts = [
  ['on a desktop', { viewport: { width: 1440, height: 900 } }],
  ['on a phone', { viewport: { width: 320, height: 640 }, isMobile: true }],
] as const

describe.skipIf(!chromiumPath)('the tray of uploads and downloads', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function open({ url = shared.server.url, ...options }: SignedInOptions & { url?: string } = {}) {
    const username = `tidy-${++people}`
    const page = await browser.signedIn(url, { username, ...options })
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    const tray = page.getByRole('region', { name: 'Uploads and downloads of this page' })
    const toggle = tray.getByRole('button', { name: 'Uploads and downloads' })
    return { page, caller, tray, toggle }
  }

  /** Holds the rate of every upload down from its creation on. */
  async function slowly(page: Page): Promise<void> {
    await page.route('**/tus', async (route) => {
      await route.continue({ headers: { ...route.request().headers(), 'filejobs-rate-limit': String(mebibyte) } })
    })
  }

  async function send(page: Page, name: string, bytes: number): Promise<void> {
    const path = join(await temporaryFolder(), name)
    await writeFile(path, randomBytes(bytes))
    await page.getByLabel('Upload files').setInputFiles(path)
  }

  const goTo = (page: Page, view: string) => page.getByRole('link', { name: new RegExp(`^${view}`) }).click()

  it.each(layouts)('is one line on every view while all is well, and its groups behind it, %s', async (_, layout) => {
    const { page, caller, tray, toggle } = await open({ prepare: slowly, ...layout })
    expect(await tray.count()).toBe(0)
    await send(page, `${'long'.repeat(30)}.bin`, 32 * mebibyte)
    for (const view of ['Transfers', 'Data', 'Shared', 'Files']) {
      await goTo(page, view)
      await page.getByRole('heading', { level: 1, name: view }).waitFor()
      await tray.getByRole('status').getByText('Uploading 1 file', { exact: true }).waitFor()
      expect((await tray.boundingBox())!.height).toBeLessThan(60)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(layout.viewport.width)
      expect(await coversOf(page)).toEqual([])
    }
    await toggle.focus()
    await page.keyboard.press('Enter')
    const running = tray.getByRole('region', { name: 'Running' })
    await running.getByRole('heading', { name: 'Running' }).waitFor()
    await running.getByText(/MiB of 32.0 MiB/).waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(layout.viewport.width)
    expect(await coversOf(page)).toEqual([])
    await running.getByRole('button', { name: /^Stop the upload of long/ }).click()
    await tray.getByRole('region', { name: 'Done' }).getByText('Stopped by you.').waitFor()
    await toggle.press('Enter')
    await tray.getByRole('region', { name: 'Done' }).waitFor({ state: 'detached' })
    expect(await toggle.getAttribute('aria-expanded')).toBe('false')
    expect(await caller.names()).toEqual([])
  })

  it('opens by itself, on any view, when a decision is wanted, and closes with it; the focus stays in it', async () => {
    const { page, caller, tray, toggle } = await open({ prepare: slowly })
    await caller.put('taken.bin', 'older')
    await send(page, 'first.bin', 2 * mebibyte)
    await send(page, 'taken.bin', 9)
    await goTo(page, 'Shared')
    const needs = tray.getByRole('region', { name: 'Needs you' })
    await needs.getByText('A file of this name exists already.').waitFor()
    await toggle.press('Enter')
    await needs.waitFor({ state: 'detached' })
    await toggle.press('Enter')
    await needs.getByRole('button', { name: 'Skip all' }).press('Enter')
    await needs.waitFor({ state: 'detached' })
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Uploads and downloads')
    expect(await caller.names()).toEqual(['first.bin', 'taken.bin'])
  })

  it('shows downloads while they run and when they have ended', async () => {
    const { page, caller, tray, toggle } = await open()
    await caller.put('sheet.csv', 'a,b\n')
    await choose(page, 'sheet.csv', 'Download')
    await page.getByText('Downloaded sheet.csv').waitFor()
    await goTo(page, 'Transfers')
    await tray.getByText('Downloaded 1 file').waitFor()
    await toggle.click()
    const done = tray.getByRole('region', { name: 'Done' })
    await done.getByText('4 B · done').waitFor()
    await done.getByRole('button', { name: 'Clear what is done' }).click()
    await tray.waitFor({ state: 'detached' })
  })

  it('asks before a stop only where minutes of work would be lost', async () => {
    const { page, caller, tray } = await open({ prepare: slowly, keepsTrayOpen: true })
    await send(page, 'work.bin', 32 * mebibyte)
    await caller.findJob('kind=upload', ({ bytes }) => bytes > 0)
    await page.clock.setFixedTime(Date.now() + 5 * 60_000)
    const stop = tray.getByRole('button', { name: 'Stop the upload of work.bin' })
    await stop.click()
    const question = page.getByRole('dialog', { name: 'Stop it?' })
    await question.getByText(/^It has run for 5 min/).waitFor()
    await question.getByRole('button', { name: 'Cancel' }).click()
    await stop.click()
    await question.getByRole('button', { name: 'Stop', exact: true }).click()
    await tray.getByText('Stopped by you.').waitFor()
    expect(await caller.names()).toEqual([])
  })

  it('shows no rate of which there is no news', async () => {
    const proxy = await openCuttingProxy(shared.server.url)
    const { page, tray } = await open({ prepare: slowly, url: proxy.url, keepsTrayOpen: true })
    await send(page, 'long.bin', 32 * mebibyte)
    const rate = tray.getByText(/iB\/s/).first()
    await rate.waitFor()
    const cutAt = performance.now()
    proxy.goDown()
    await rate.waitFor({ state: 'detached' })
    // The wait for the frame in which it is gone comes on top.
    expect(performance.now() - cutAt).toBeLessThan(7000)
  })

  it('tells of an end in the title of a page that is not seen and, when the person has asked for it, by the browser', async () => {
    const { page, tray, toggle } = await open({ prepare: unseen, permissions: ['notifications'] })
    await page.route('**/tus', (route) =>
      route.continue({ headers: { ...route.request().headers(), 'filejobs-rate-limit': String(mebibyte) } }),
    )
    await send(page, 'told.bin', 2 * mebibyte)
    await toggle.click()
    await tray.getByRole('button', { name: 'Notify me when it ends', pressed: false }).click()
    await tray.getByRole('button', { name: 'Notify me when it ends', pressed: true }).waitFor()
    await page.evaluate(() => dispatchEvent(new CustomEvent('test-hide')))
    await expect.poll(() => page.title()).toBe('✓ Files · filejobs')
    expect(await page.evaluate(() => Reflect.get(window, 'told'))).toEqual(['Uploaded told.bin'])
    await page.evaluate(() => dispatchEvent(new CustomEvent('test-show')))
    await expect.poll(() => page.title()).toBe('Files · filejobs')
  })

  it('does not lose the page to a file that is dropped where no view takes it', async () => {
    const { page, caller } = await open({ path: '/shared' })
    const path = join(await temporaryFolder(), 'stray.txt')
    await writeFile(path, 'stray')
    await page.getByText('No links').waitFor()
    await drop(page, [path])
    await goTo(page, 'Files')
    await page.getByText('No files yet').waitFor()
    await drop(page, [path])
    await page.getByText('Uploaded stray.txt').waitFor()
    expect(await caller.names()).toEqual(['stray.txt'])
  })
})

/** A headless page is always seen: this one is hidden and shown by events, and notes the notifications. */
async function unseen(page: Page): Promise<void> {
  await page.addInitScript(() => {
    let isHidden = false
    Object.defineProperty(document, 'hidden', { get: () => isHidden })
    const see = (hidden: boolean) => {
      isHidden = hidden
      document.dispatchEvent(new Event('visibilitychange'))
    }
    addEventListener('test-hide', () => see(true))
    addEventListener('test-show', () => see(false))
    const told: unknown[] = []
    Reflect.set(window, 'told', told)
    const { Notification } = window
    window.Notification = class extends Notification {
      constructor(title: string, options?: NotificationOptions) {
        super(title, options)
        told.push(options?.body)
      }
    }
  })
}

/** What the tray lies on when the page is scrolled to its end. */
async function coversOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    scrollTo(0, document.documentElement.scrollHeight)
    const box = (selector: string) => document.querySelector(selector)!.getBoundingClientRect()
    const [tray, main, views] = [box('.tray'), box('main'), box('.rail nav')]
    const isPhone = views.top > innerHeight / 2
    return [
      ...(main.bottom > tray.top + 1 ? ['the view'] : []),
      ...(isPhone && tray.bottom > views.top + 1 ? ['the way to the views'] : []),
      ...(tray.bottom > innerHeight + 1 ? ['the edge'] : []),
    ]
  })
}
