import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../dist/server/concurrency/deferred.js'
import { axe, findFaults } from '../helpers/axe.js'
import { chromiumPath, contentOf, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { askForFiles, beginToSend, listedRequest, sendFile } from '../helpers/file-requests.js'
import { shareServer } from '../helpers/shared-server.js'

const desktop = { viewport: { width: 1280, height: 800 } }
const phone = { viewport: { width: 320, height: 640 }, isMobile: true }
const layouts = [
  ['on a desktop', desktop],
  ['on a phone', phone],
] as const

describe.skipIf(!chromiumPath)('the view of what is shared', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  /** Evaluated by the debugger, so that the page's own policy stays as strict as it is. */
  const prepare = (page: Page) => page.addInitScript(axe)

  /** A person with files, on the front page. */
  async function signIn(files: Record<string, string>, layout: object) {
    const username = `sharer-${++people}`
    const ann = new Caller(shared.server, await shared.server.logIn(username))
    for (const [name, content] of Object.entries(files)) await ann.put(encodeURI(name), content)
    const page = await browser.signedIn(shared.server.url, { username, prepare, colorScheme: 'light', ...layout })
    return { ann, page }
  }

  /** What somebody without an account sees at a link. */
  async function openLink(url: string, layout: object = desktop): Promise<Page> {
    const page = await (await browser.newWindow({ colorScheme: 'light', ...layout })).newPage()
    await page.goto(url)
    return page
  }

  /** No fault for axe, and nothing that scrolls sideways. */
  async function check(page: Page): Promise<void> {
    expect(await findFaults(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
  }

  it('makes one link, however often its button is pressed while it is being made', async () => {
    const { ann, page } = await signIn({ 'a.txt': 'a' }, desktop)
    const held = deferred<void>()
    await page.route('**/shares', async (route) => {
      if (route.request().method() === 'POST') await held.promise
      await route.continue()
    })
    await page.getByRole('link', { name: 'Shared' }).click()
    await page.getByRole('button', { name: 'Share files' }).click()
    await page.getByRole('button', { name: 'Share a.txt' }).click()
    await page.getByRole('button', { name: 'Make a link' }).click()
    await expect.poll(() => page.getByRole('button', { name: 'One moment …' }).isDisabled()).toBe(true)
    await page.getByLabel('Note for the receiver').press('Enter')
    held.resolve()
    await page.getByLabel('The link', { exact: true }).waitFor()
    expect((await ann.call('/shares')).json.shares).toHaveLength(1)
  })

  it.each(layouts)('sends a folder to somebody with a password, and says what became of it, %s', async (_, layout) => {
    const { page } = await signIn({ 'trips/photos/a.txt': 'a', 'trips/photos/b.txt': 'b' }, layout)
    await page.getByRole('link', { name: 'Shared' }).click()
    await page.getByText('No links').waitFor()
    await check(page)
    await page.getByRole('button', { name: 'Share files' }).click()
    await page.getByRole('button', { name: 'Open the folder trips/' }).click()
    await page.getByRole('button', { name: 'Open the folder trips/photos/' }).click()
    await page.getByRole('button', { name: 'Share trips/photos/a.txt' }).waitFor()
    await check(page)
    await page.getByRole('button', { name: 'Share this folder' }).click()
    await page.getByLabel('Password').fill('open sesame')
    await page.getByLabel('Note for the receiver').fill('Our <b>trip</b>')
    await check(page)
    await page.getByRole('button', { name: 'Make a link' }).click()
    const url = await page.getByLabel('The link', { exact: true }).inputValue()
    expect(await page.getByLabel('The password').inputValue()).toBe('open sesame')
    await check(page)
    await page.getByRole('button', { name: 'Done' }).click()

    const receiver = await openLink(url, layout)
    await receiver.getByLabel('Password').fill('open sesame')
    await receiver.getByRole('button', { name: 'Open' }).click()
    await receiver.getByText('Our <b>trip</b>').waitFor()
    const downloading = receiver.waitForEvent('download')
    await receiver.getByRole('link', { name: 'a.txt' }).click()
    expect(String(await contentOf(await downloading))).toBe('a')

    const row = page.getByRole('listitem').filter({ hasText: 'photos/' })
    await row.getByText('opened 1 time · 1 download · with a password').waitFor()
    await row.getByText('Our <b>trip</b>').waitFor()
    await check(page)
    await page.getByRole('button', { name: 'Revoke the link to trips/photos/' }).click()
    await check(page)
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await row.waitFor()
    await page.getByRole('button', { name: 'Revoke the link to trips/photos/' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()
    await page.getByText('No links').waitFor()
    await receiver.reload()
    await receiver.getByRole('heading', { name: /This link/ }).waitFor()
  })

  it('suggests a password that a receiver can be told', async () => {
    const { page } = await signIn({ 'a.txt': 'a' }, { ...desktop, path: '/shared' })
    await page.getByRole('button', { name: 'Share files' }).click()
    await page.getByRole('button', { name: 'Share a.txt' }).click()
    await page.getByRole('button', { name: 'Suggest one' }).click()
    const suggested = await page.getByLabel('Password').inputValue()
    expect(suggested).toMatch(/^(\w{4}-){2}\w{4}$/)
    await page.getByRole('button', { name: 'Make a link' }).click()
    expect(await page.getByLabel('The password').inputValue()).toBe(suggested)
  })

  it('says in words why a link leads to nothing, to its owner and its receiver', async () => {
    const { ann, page } = await signIn({ 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' }, desktop)
    const makeLink = async (filename: string, terms: object) =>
      new URL((await ann.post('/shares', { filename, expiresIn: 600, ...terms })).json.url).pathname
    const used = await makeLink('a.txt', { maxDownloads: 1 })
    const expired = await makeLink('b.txt', { expiresIn: 1 })
    await makeLink('c.txt', {})
    await ann.call(used, { headers: { Authorization: '' } })
    await ann.call('/files/c.txt', { method: 'DELETE' })
    await eventually('it has expired', async () => (await ann.call(expired)).status === 410)
    await page.goto(`${shared.server.url}/shared`)
    const row = (name: string) => page.getByRole('listitem').filter({ hasText: name })
    await row('a.txt').getByText('Used up: all its downloads were made').waitFor()
    await row('b.txt')
      .getByText(/^Expired on /)
      .waitFor()
    await row('c.txt').getByText('Its file is gone').waitFor()
    await check(page)
    const receiver = await openLink(shared.server.url + expired)
    await receiver.getByRole('heading', { name: 'This link has expired' }).waitFor()
    await page.getByRole('button', { name: 'Revoke the link to a.txt' }).click()
    await page.getByRole('dialog').getByText('It has ended').waitFor()
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    await row('a.txt').waitFor({ state: 'detached' })
  })

  it.each(layouts)(
    'asks somebody for files, shows what came in, and takes no more when revoked, %s',
    async (_, layout) => {
      const { ann, page } = await signIn({ 'papers/old.txt': 'old' }, { ...layout, path: '/shared' })
      await page.getByText('No requests').waitFor()
      await page.getByRole('button', { name: 'Ask for files' }).click()
      await page.getByLabel('Folder for the files').fill('papers/new')
      await page.getByText('Limits').click()
      await page.getByLabel('Files at most', { exact: true }).fill('2')
      await page.getByLabel('Size of each file at most').fill('2 XB')
      await page.getByRole('button', { name: 'Make a link' }).click()
      await page.getByRole('alert').getByText('must be a size').waitFor()
      await page.getByLabel('Size of each file at most').fill('2 MB')
      await page.getByLabel('Note for who sends them').fill('Your paper, please')
      await check(page)
      await page.getByRole('button', { name: 'Make a link' }).click()
      const url = await page.getByLabel('The link for uploads').inputValue()
      await check(page)
      await page.getByRole('button', { name: 'Done' }).click()

      const sender = await openLink(url, layout)
      await sender.getByText('Your paper, please').waitFor()
      const file = { name: 'paper.txt', mimeType: 'text/plain', buffer: Buffer.from('text') }
      await sender.getByLabel(/^Choose files/).setInputFiles([file])
      await sender.getByRole('status').getByText('1 file sent.').waitFor()
      expect(await ann.names()).toEqual(['papers/new/paper.txt', 'papers/old.txt'])

      const row = page.getByRole('listitem').filter({ hasText: 'papers/new/' })
      await row.getByText('1 of 2 files, 4 B').waitFor()
      await row.getByText('2.0 MiB each at most · opened 1 time').waitFor()
      await check(page)
      await page.getByRole('button', { name: 'Revoke the request for files into papers/new/' }).click()
      await check(page)
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()
      await row.getByText('Revoked', { exact: true }).waitFor()
      await sender.reload()
      await sender.getByRole('heading', { name: /This link/ }).waitFor()
      await row.getByRole('link', { name: 'papers/new/' }).click()
      await page.waitForURL('**/files/papers/new/')
    },
  )

  it('shows uploads under way, and a request that is full', async () => {
    const { ann, page } = await signIn({}, desktop)
    const request = await askForFiles(ann, { maxFiles: 1 })
    await page.goto(`${shared.server.url}/shared`)
    const row = page.getByRole('listitem').filter({ hasText: 'in/' })
    await row.getByText('0 of 1 file').waitFor()
    const begun = await beginToSend(request, { length: 10 })
    await row.getByText('1 upload under way').waitFor()
    await ann.post(`/jobs/${begun.headers['filejobs-job']}/stop`)
    await row.getByText('1 upload under way').waitFor({ state: 'detached' })
    await sendFile(request, 'a.txt', 'a')
    await row.getByText('Full: it has got all that it may take').waitFor()
    expect(await listedRequest(ann, request)).toMatchObject({ state: 'full' })
    await check(page)
  })
})
