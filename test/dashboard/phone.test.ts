import type { Locator, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller, holdUpload } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { shareServer } from '../helpers/shared-server.js'

const mebibyte = 1024 ** 2

describe.skipIf(!chromiumPath)('the dashboard on a phone', () => {
  const shared = shareServer()
  const browser = shareBrowser()

  const phone = (width: number) => ({ viewport: { width, height: 700 }, isMobile: true })

  it.each([320, 360])('has a header whose parts do not overlap, at %i pixels', async (width) => {
    const proxy = await openCuttingProxy(shared.server.url)
    const page = await browser.signedIn(proxy.url, phone(width))
    expect(await overlapsOfHeader(page)).toEqual([])
    proxy.goDown()
    await page.getByText('Offline', { exact: true }).waitFor()
    expect(await overlapsOfHeader(page)).toEqual([])
    await proxy.goUp()
    await page.getByText('Live', { exact: true }).waitFor()
  })

  it.each([320, 375])('shows rate, percentage, time left and curve of a job, at %i pixels', async (width) => {
    const username = `walker-${width}`
    const page = await browser.signedIn(shared.server.url, { username, path: '/jobs', ...phone(width) })
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    // A minute's worth is sent at once, and taken at an even rate.
    const held = await holdUpload(caller, `${'long-'.repeat(20)}.bin`, {
      size: 65 * mebibyte,
      headers: { 'Filejobs-Rate-Limit': mebibyte },
    })
    held.request.write(Buffer.alloc(64 * mebibyte))
    const row = page.getByRole('article', { name: /^Upload long-/ })
    const [percent, rate, left] = [/^\d+(\.\d+)? %$/, /^\d.*\/s$/, / left$/].map((words) => row.getByText(words))
    await left!.waitFor()
    for (const part of [percent!, rate!, left!, row.locator('canvas')]) {
      expect(await liesWithin(part, row)).toBe(true)
    }
    held.request.destroy()
  })

  it('lists jobs that have all ended, page by page, and comes to rest', async () => {
    const username = 'finisher'
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    for (let index = 0; index < 60; index++) await caller.put(`${index}.txt`, 'x')
    const asked: string[] = []
    const prepare = async (page: Page) =>
      void page.on('request', (request) => request.url().includes('/jobs?') && asked.push(request.url()))
    const page = await browser.signedIn(shared.server.url, { username, path: '/jobs', prepare, ...phone(390) })
    await page.getByRole('article', { name: 'Upload 59.txt' }).waitFor()
    // Taken between two frames: a page that renders without end has none to take.
    expect((await page.screenshot({ fullPage: true })).length).toBeGreaterThan(0)
    await page.locator('.virtual').evaluate((list) => list.scrollTo(0, list.scrollHeight))
    await page.getByRole('article', { name: 'Upload 10.txt' }).waitFor()
    await page.locator('.virtual').evaluate((list) => list.scrollTo(0, list.scrollHeight))
    await page.getByRole('article', { name: 'Upload 0.txt' }).waitFor()
    await page.screenshot({ fullPage: true })
    expect(asked.filter((url) => url.includes('state=done'))).toHaveLength(2)
  })

  it('shows the full text of an upload that lost its connection', async () => {
    const proxy = await openCuttingProxy(shared.server.url)
    const page = await browser.signedIn(proxy.url, { keepsTrayOpen: true, ...phone(375) })
    // A minute's worth.
    const buffer = Buffer.alloc(4 * mebibyte)
    await page.route('**/tus', (route) =>
      route.continue({ headers: { ...route.request().headers(), 'filejobs-rate-limit': String(mebibyte / 16) } }),
    )
    await page.getByLabel('Upload files').setInputFiles({ name: 'long.bin', mimeType: 'text/plain', buffer })
    const upload = page.getByRole('article', { name: 'Upload long.bin' })
    await upload.getByText(/^\d.* of 4.0 MiB/).waitFor()
    proxy.goDown()
    const words = upload.getByText(/the connection is lost, trying again$/)
    await words.waitFor()
    for (const width of [375, 320]) {
      await page.setViewportSize({ width, height: 700 })
      expect(await words.evaluate((box) => box.scrollWidth <= box.clientWidth)).toBe(true)
      expect(await words.evaluate((box) => box.scrollHeight <= box.clientHeight)).toBe(true)
      expect(await liesWithin(words, upload.locator('xpath=ancestor::li'))).toBe(true)
    }
  })
})

/** The pairs of the header's parts that share a place. */
async function overlapsOfHeader(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const parts = [...document.querySelectorAll('.brand > *, .light, .account-button')]
    const boxes = parts.map((part) => ({ name: part.className || part.tagName, box: part.getBoundingClientRect() }))
    return boxes.flatMap((one, index) =>
      boxes
        .slice(index + 1)
        .filter(
          ({ box }) =>
            one.box.left < box.right - 0.5 &&
            box.left < one.box.right - 0.5 &&
            one.box.top < box.bottom - 0.5 &&
            box.top < one.box.bottom - 0.5,
        )
        .map((other) => `${one.name} and ${other.name}`)
        .concat(one.box.right > innerWidth || one.box.left < 0 ? [`${one.name} and the edge`] : []),
    )
  })
}

/** Whether it is seen, and wholly inside the other. */
async function liesWithin(part: Locator, whole: Locator): Promise<boolean> {
  const [inner, outer] = await Promise.all([part.boundingBox(), whole.boundingBox()])
  if (!inner || !outer) return false
  const isCut = await part.evaluate((element) => {
    const { bottom, right } = element.getBoundingClientRect()
    for (let box = element.parentElement; box; box = box.parentElement) {
      if (getComputedStyle(box).overflow !== 'hidden') continue
      const outside = box.getBoundingClientRect()
      if (bottom > outside.bottom + 1 || right > outside.right + 1) return true
    }
    return false
  })
  return !isCut && inner.y >= outer.y - 1 && inner.y + inner.height <= outer.y + outer.height + 1
}
