import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, drop, shareBrowser } from '../helpers/browser.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { eventually } from '../helpers/eventually.js'
import { askForFiles, listedRequest } from '../helpers/file-requests.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const desktop = { viewport: { width: 1280, height: 800 } }
const phone = { viewport: { width: 320, height: 640 }, isMobile: true }
const layouts = [
  ['on a desktop', desktop],
  ['on a phone', phone],
] as const

const file = (name: string, content: string | Buffer = name) => {
  return { name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) }
}

describe.skipIf(!chromiumPath)('the page of a link for uploads', () => {
  const shared = shareServer()
  const browser = shareBrowser()

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

  it.each(layouts)(
    'asks for the password, takes files as they are chosen and says how far they are, %s',
    async (_, layout) => {
      const ann = await shared.newCaller()
      const terms = { password: 'the password', note: 'Photos <b>please</b>', maxFiles: 3, maxBytes: 1024 ** 2 }
      const request = await askForFiles(ann, terms)
      const page = await openPage(request.url, layout)
      await page.getByLabel('Password').fill('the password')
      await page.getByRole('button', { name: 'Open' }).click()
      await page.getByRole('heading', { name: 'Send files' }).waitFor()
      await page.getByText('Photos <b>please</b>').waitFor()
      await page.getByText('1.0 MiB more in all').waitFor()
      await check(page)
      const name = `${'a long name '.repeat(12)}.txt`
      await page.getByLabel(/^Choose files/).setInputFiles([file(name), file('b.txt')])
      await page.getByRole('status').getByText('2 files sent.').waitFor()
      await check(page)
      expect((await ann.names()).sort()).toEqual([`in/${name}`, 'in/b.txt'])
      await page.getByLabel(/^Choose files/).setInputFiles([file('c.txt'), file('d.txt')])
      await page.getByText('This link takes 3 files').waitFor()
      await page.getByRole('status').getByText('3 files sent, 1 not.').waitFor()
      await check(page)
      await page.reload()
      await page.getByRole('heading', { name: 'This link takes no more files' }).waitFor()
      await check(page)
    },
  )

  it('takes dropped folders, keeps both of two names, and resumes over a lost connection', async () => {
    const proxy = await openCuttingProxy(shared.server.url)
    const ann = await shared.newCaller()
    await ann.put('in/big.bin', 'before')
    const request = await askForFiles(ann)
    const page = await openPage(proxy.url + request.path, desktop)
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'trip/empty'), { recursive: true })
    await writeFile(join(folder, 'trip/dropped.txt'), 'dropped')
    await drop(page, [join(folder, 'trip')])
    await page.getByRole('status').getByText('1 file sent.').waitFor()
    const size = 8 * 1024 ** 2
    await page.getByLabel(/^Choose files/).setInputFiles([file('big.bin', Buffer.alloc(size, 'x'))])
    const job = await ann.findJob('kind=upload&state=running', ({ file }) => file === 'in/big.bin')
    await ann.call(`/jobs/${job.id}`, { method: 'PATCH', body: { rateLimit: 1024 ** 2 } })
    proxy.goDown()
    await page.getByText('The connection was lost').waitFor()
    await proxy.goUp()
    await ann.call(`/jobs/${job.id}`, { method: 'PATCH', body: { rateLimit: null } })
    await page.getByRole('status').getByText('2 files sent.').waitFor()
    expect((await ann.names()).sort()).toEqual(['in/big (2).bin', 'in/big.bin', 'in/trip/dropped.txt'])
    expect(await ann.job(job.id)).toMatchObject({ state: 'done', bytes: size, file: 'in/big (2).bin' })
  })

  it('says that its owner has stopped an upload, and cancels one', async () => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann, { maxFiles: 1 })
    const page = await openPage(request.url, desktop)
    const choose = async (name: string) => {
      await page.getByLabel(/^Choose files/).setInputFiles([file(name, Buffer.alloc(8 * 1024 ** 2))])
      const job = await ann.findJob('kind=upload&state=running', (each) => each.file === `in/${name}`)
      await ann.call(`/jobs/${job.id}`, { method: 'PATCH', body: { rateLimit: 1024 } })
      return job
    }
    const stopped = await choose('stopped.bin')
    await ann.post(`/jobs/${stopped.id}/stop`)
    await page.getByText(/The upload was stopped by user:account-/).waitFor()
    const cancelled = await choose('cancelled.bin')
    await page.getByRole('button', { name: 'Cancel cancelled.bin' }).click()
    await page.getByText('Cancelled', { exact: true }).waitFor()
    await eventually('it is stopped', async () => (await ann.job(cancelled.id)).state === 'stopped')
    expect(await ann.names()).toEqual([])
    expect(await listedRequest(ann, request)).toMatchObject({ state: 'open', files: 0 })
  })

  it.each(layouts)('is a form without scripts, %s', async (_, layout) => {
    const ann = await shared.newCaller()
    const request = await askForFiles(ann)
    const page = await openPage(request.url, { ...layout, javaScriptEnabled: false })
    await page.getByLabel(/^Choose files/).setInputFiles([file('a.txt'), file('b.txt')])
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('heading', { name: '2 files sent' }).waitFor()
    await page.getByRole('link', { name: 'Send more' }).click()
    await page.getByRole('heading', { name: 'Send files' }).waitFor()
    expect((await ann.names()).sort()).toEqual(['in/a.txt', 'in/b.txt'])
  })
})
