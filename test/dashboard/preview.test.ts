import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { chromiumPath, rowOf, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'

const layouts = [
  ['on a desktop', { viewport: { width: 1440, height: 900 } }],
  ['on a phone', { viewport: { width: 390, height: 780 }, isMobile: true }],
] as const

const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20"/></svg>'

/** The head of a WAV with so many bytes, and a second of silence. */
function wav(bytes = 8000): Buffer {
  const rate = 8000
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + bytes, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(rate, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36)
  head.writeUInt32LE(bytes, 40)
  return Buffer.concat([head, Buffer.alloc(rate, 128)])
}

describe.skipIf(!chromiumPath)('the preview of a file in the dashboard', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function openWith(files: Record<string, [string, string | Buffer]>, path = '/files/', options: object = {}) {
    const username = `looker-${++people}`
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    for (const [name, [type, body]] of Object.entries(files)) await caller.put(name, body, { 'Content-Type': type })
    const page = await browser.signedIn(shared.server.url, { username, path, ...options })
    const preview = (name: string) => page.locator(`[data-preview="${name}"]`)
    return { page, caller, preview, open: (name: string) => rowOf(page, name).getByRole('link').click() }
  }

  const pathOf = (page: Page) => page.evaluate(() => location.pathname + location.search)

  it.each(layouts)(
    'opens by the name, goes on with the arrow keys, and is closed by Back and Escape, %s',
    async (_, layout) => {
      const files = {
        'in/a.svg': ['image/svg+xml', svg],
        'in/b.txt': ['text/plain', 'first line\n<b>second</b>'],
        'in/c.bin': ['application/octet-stream', 'x'],
      } as Record<string, [string, string]>
      const { page, caller, preview, open } = await openWith(files, '/files/in/', layout)
      await open('in/a.svg')
      await preview('in/a.svg').getByRole('img', { name: 'a.svg' }).waitFor()
      expect(
        await preview('in/a.svg')
          .locator('img')
          .evaluate((image: HTMLImageElement) => image.decode().then(() => image.naturalWidth)),
      ).toBe(40)
      expect(await pathOf(page)).toBe('/files/in/?open=a.svg')
      await page.keyboard.press('ArrowRight')
      await preview('in/b.txt').getByText('<b>second</b>').waitFor()
      await preview('in/b.txt').getByText('24 bytes').waitFor()
      const { sha256 } = (await caller.call('/files')).json.files[1]
      await preview('in/b.txt').getByText(sha256).waitFor()
      expect(await preview('in/b.txt').getByLabel('Address of the file').inputValue()).toBe(
        `${shared.server.url}/files/in/b.txt`,
      )
      await preview('in/b.txt').getByRole('button', { name: 'Next file' }).click()
      await preview('in/c.bin').getByText('There is no preview').waitFor()
      expect(await preview('in/c.bin').getByRole('button', { name: 'Next file' }).isDisabled()).toBe(true)
      await page.keyboard.press('ArrowLeft')
      await preview('in/b.txt').waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(layout.viewport.width)
      await page.keyboard.press('Escape')
      await page.locator('.preview').waitFor({ state: 'detached' })
      await expect
        .poll(() => page.evaluate(() => (document.activeElement as HTMLElement).dataset.file))
        .toBe('in/b.txt')
      await page.goBack()
      await preview('in/b.txt').waitFor()
      await page.reload()
      await preview('in/b.txt').getByText('first line').waitFor()
      // Looks are no transfers.
      expect((await caller.call('/jobs?kind=export')).json.jobs).toEqual([])
    },
  )

  it('shows a CSV as a table', async () => {
    const { page, preview, open } = await openWith({ 'a.csv': ['text/csv', 'id;name\n1;"a; ""b"""\n2;<i>c</i>\n'] })
    await open('a.csv')
    await preview('a.csv').getByRole('columnheader', { name: 'name' }).waitFor()
    expect(await preview('a.csv').getByRole('cell').allInnerTexts()).toEqual(['1', 'a; "b"', '2', '<i>c</i>'])
    await preview('a.csv').getByRole('button', { name: 'Import as a table' }).click()
    await page.getByText('Every line can be read.').waitFor()
  })

  it('reads only the beginning of a long text', async () => {
    const { preview, open } = await openWith({ 'long.log': ['text/plain', `begin\n${'x'.repeat(999)}\n`.repeat(400)] })
    await open('long.log')
    await preview('long.log').getByText('Only the beginning is shown.').waitFor()
    const length = await preview('long.log')
      .locator('pre')
      .evaluate((text) => text.textContent!.length)
    expect(length).toBe(256 * 1024)
  })

  it('tells how many links lead to the file', async () => {
    const text = ['text/plain', 'x'] as [string, string]
    const { page, caller, preview, open } = await openWith({ 'in/a.txt': text, 'in/b.txt': text }, '/files/in/')
    for (const filename of ['in/a.txt', 'in/']) await caller.post('/shares', { filename, expiresIn: 3600 })
    await open('in/b.txt')
    await preview('in/b.txt').getByRole('link', { name: '1 link leads here' }).waitFor()
    await page.keyboard.press('ArrowLeft')
    await preview('in/a.txt').getByRole('link', { name: '2 links lead here' }).click()
    await page.locator('[data-link="in/"]').waitFor()
  })

  it('names the files of the folder that have the same content', async () => {
    const [same, other] = [
      ['text/plain', 'same'],
      ['text/plain', 'else'],
    ] as [string, string][]
    const files = { 'in/a.txt': same, 'in/b.txt': other, 'in/c.txt': same, 'in/d/e.txt': same } as never
    const { preview, open } = await openWith(files, '/files/in/')
    await open('in/a.txt')
    await preview('in/a.txt').getByText('Same content, in this folder').waitFor()
    expect(await preview('in/a.txt').getByRole('list').getByRole('link').allInnerTexts()).toEqual(['c.txt'])
    await preview('in/a.txt').getByRole('link', { name: 'c.txt' }).click()
    await preview('in/c.txt').getByRole('link', { name: 'a.txt' }).waitFor()
    await open('in/b.txt')
    await preview('in/b.txt').getByText('else').waitFor()
    expect(await preview('in/b.txt').getByText('Same content').count()).toBe(0)
  })

  it('plays long media, and seeks in it, while the account downloads', async () => {
    const long = Buffer.concat([wav(40 * 1024 ** 2), Buffer.alloc(40 * 1024 ** 2, 128)])
    const { caller, preview, open } = await openWith({ 'a.wav': ['audio/wav', long] })
    const held = caller.open('/files/a.wav', { headers: { 'Filejobs-Rate-Limit': '1000' } })
    held.on('error', () => {})
    held.end()
    const { id } = await caller.findJob('kind=export&state=running')
    await open('a.wav')
    const audio = preview('a.wav').locator('audio')
    await expect.poll(() => audio.evaluate((media: HTMLAudioElement) => media.duration)).toBe(5242.88)
    await audio.evaluate((media: HTMLAudioElement) => {
      media.currentTime = 5200
    })
    await expect
      .poll(() => audio.evaluate((media: HTMLAudioElement) => media.seeking || media.readyState < 2))
      .toBe(false)
    expect((await caller.call('/jobs?kind=export')).json.jobs.map((job: { id: string }) => job.id)).toEqual([id])
    await caller.post(`/jobs/${id}/stop`)
  })

  it('plays audio by ranges', async () => {
    const { preview, open } = await openWith({ 'a.wav': ['audio/wav', wav()] })
    await open('a.wav')
    const duration = () =>
      preview('a.wav')
        .locator('audio')
        .evaluate((audio: HTMLAudioElement) => audio.duration)
    await expect.poll(duration).toBe(1)
  })

  it('opens a PDF in a tab of its own', async () => {
    const { page, preview, open } = await openWith({ 'a.pdf': ['application/pdf', '%PDF-1.4\n'] })
    await open('a.pdf')
    const link = preview('a.pdf').getByRole('link', { name: 'Open the PDF in a tab' })
    expect(await link.getAttribute('href')).toBe('/files/a.pdf?preview')
    expect(await link.getAttribute('target')).toBe('_blank')
    const answer = await page.request.get(`${shared.server.url}/files/a.pdf?preview`)
    expect(answer.headers()['content-disposition']).toMatch(/^inline;/)
    expect(answer.headers()['content-security-policy']).toBe("sandbox; default-src 'none'")
  })

  it('is there for a client, too, and offers no link', async () => {
    const publisher = new Caller(shared.server, await shared.server.logIn('lookdepot', 'ops'))
    await publisher.put('a.txt', 'published text')
    const page = await browser.signedIn(shared.server.url, { role: 'client', path: '/published/lookdepot/' })
    await rowOf(page, 'a.txt').getByRole('link').click()
    const preview = page.locator('[data-preview="a.txt"]')
    await preview.getByText('published text').waitFor()
    expect(await preview.getByRole('button', { name: 'Share …' }).count()).toBe(0)
  })
})
