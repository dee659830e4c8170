import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { chromiumPath, password, rowOf, shareBrowser } from '../helpers/browser.js'
import { Caller, holdUpload } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const mebibyte = 1024 ** 2

describe.skipIf(!chromiumPath)('in the dashboard,', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function open({ path = '/', url = shared.server.url }: { path?: string; url?: string } = {}) {
    const username = `witness-${++people}`
    const page = await browser.signedIn(url, { username, path, keepsTrayOpen: true })
    const curl = new Caller(shared.server, await shared.server.logIn(username))
    const upload = (name: string) => page.locator(`[data-upload=${JSON.stringify(name)}]`)
    return { username, page, curl, upload }
  }

  /** Holds the rate of every upload down from its creation on. */
  async function slowly(page: Page): Promise<void> {
    await page.route('**/tus', async (route) => {
      await route.continue({ headers: { ...route.request().headers(), 'filejobs-rate-limit': String(mebibyte) } })
    })
  }

  async function fileOf(name: string, bytes: number): Promise<string> {
    const path = join(await temporaryFolder(), name)
    await writeFile(path, randomBytes(bytes))
    return path
  }

  async function signIn(page: Page, username: string): Promise<void> {
    await page.getByLabel('Username').fill(username)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  async function endSession(curl: Caller): Promise<void> {
    const { sessions } = (await curl.call('/auth/sessions')).json
    const other = sessions.find((session: { current: boolean }) => !session.current)
    expect((await curl.call(`/auth/sessions/${other.id}`, { method: 'DELETE' })).status).toBe(204)
  }

  it('an upload interrupted by the end of the session is named, stays listed, and can be retried', async () => {
    const { username, page, curl, upload } = await open()
    await slowly(page)
    for (const file of [await fileOf('cut.bin', 4 * mebibyte), await fileOf('next.txt', 9)]) {
      await page.getByLabel('Upload files').setInputFiles(file)
    }
    await curl.findJob('kind=upload', ({ bytes }) => bytes > 0)
    await endSession(curl)
    const note = page.getByRole('alert').filter({ hasText: 'Your session has ended' })
    await note.getByText('cut.bin').waitFor()
    await note.getByText('next.txt').waitFor()
    await signIn(page, username)
    await upload('cut.bin').getByText('Interrupted by the end of the session.').waitFor()
    await page.getByRole('status').getByText('2 need you').waitFor()
    await page.unroute('**/tus')
    await upload('cut.bin').getByRole('button', { name: 'Try again' }).click()
    await upload('cut.bin').getByText('done').waitFor()
    await page.getByRole('status').getByText('1 needs you').waitFor()
    await upload('next.txt').getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('region', { name: 'Needs you' }).waitFor({ state: 'detached' })
    await page.getByText('Uploaded 2 files', { exact: true }).waitFor()
    expect(await curl.names()).toEqual(['cut.bin', 'next.txt'])
  })

  it('an upload of one account is not shown to the next account', async () => {
    const { page, curl } = await open()
    await slowly(page)
    await page.getByLabel('Upload files').setInputFiles(await fileOf('secret.bin', 4 * mebibyte))
    await curl.findJob('kind=upload', ({ bytes }) => bytes > 0)
    await endSession(curl)
    await page.getByText('Your session has ended').waitFor()
    const next = `witness-${++people}`
    await shared.server.logIn(next)
    await signIn(page, next)
    await page.getByText('No files yet').waitFor()
    expect(await page.getByText('secret.bin').count()).toBe(0)
  })

  it('clearing removes completed uploads, and a failed upload is never listed under “Uploaded”', async () => {
    const { page, curl, upload } = await open()
    await curl.put('exists.txt', 'old')
    await curl.put('folder', 'a file')
    const folder = await temporaryFolder()
    for (const name of ['exists.txt', 'good.txt']) await writeFile(join(folder, name), 'x')
    for (const name of ['exists.txt', 'good.txt']) {
      await page.getByLabel('Upload files').setInputFiles(join(folder, name))
    }
    await upload('good.txt').getByText('done').waitFor()
    await page.getByRole('status').getByText('1 needs you').waitFor()
    await page.getByRole('button', { name: 'Clear what is done' }).click()
    await upload('good.txt').waitFor({ state: 'detached' })
    await upload('exists.txt').getByText('a file of this name exists').waitFor()
    await upload('exists.txt').getByRole('button', { name: 'Skip the upload of exists.txt' }).click()
    await upload('exists.txt').getByRole('button', { name: 'Try again' }).waitFor()
    expect(await page.getByText(/^Uploaded/).count()).toBe(0)
    expect(await page.getByRole('button', { name: 'Clear what is done' }).count()).toBe(0)
    await upload('exists.txt').getByRole('button', { name: 'Take exists.txt off the list' }).click()
    await upload('exists.txt').waitFor({ state: 'detached' })
  })

  it('a silent network shows no rate, and uploads and events continue once it is back', async () => {
    const proxy = await openCuttingProxy(shared.server.url)
    const { page, curl, upload } = await open({ url: proxy.url })
    await slowly(page)
    await page.getByLabel('Upload files').setInputFiles(await fileOf('long.bin', 24 * mebibyte))
    const rate = upload('long.bin').getByText(/iB\/s/)
    await rate.waitFor()
    proxy.goSilent()
    // Before the fix: for as long as the system waits for the network.
    await rate.waitFor({ state: 'detached', timeout: 20_000 })
    await upload('long.bin').getByText('the connection is lost, trying again').waitFor({ timeout: 20_000 })
    await page.getByText('Offline', { exact: true }).waitFor()
    await page.getByRole('link', { name: /^Transfers/ }).click()
    const row = page.locator('#main').getByRole('article', { name: 'Upload long.bin' })
    await row.waitFor()
    expect(await row.getByText(/iB\/s/).and(row.locator('.rate')).count()).toBe(0)
    proxy.endSilence()
    await page.getByText('Live', { exact: true }).waitFor()
    await row.locator('.rate').waitFor()
    const { id } = await curl.findJob('kind=upload')
    await curl.call(`/jobs/${id}`, { method: 'PATCH', body: { rateLimit: null } })
    await page.getByRole('link', { name: 'Files' }).click()
    await upload('long.bin').getByText('done').waitFor()
  })

  it('a link to a missing file is marked as such, and works again when the file is back', async () => {
    const { page, curl } = await open()
    await curl.put('shared.txt', 'x')
    await curl.post('/shares', { filename: 'shared.txt', expiresIn: 3600 })
    await page.getByRole('link', { name: 'Shared', exact: true }).click()
    const link = page.locator('[data-link="shared.txt"]')
    await link.getByText(/^Works until /).waitFor()
    await curl.call('/files/shared.txt', { method: 'DELETE' })
    await link.getByText(/^Its file is gone/).waitFor()
    expect((await curl.call('/shares')).json.shares[0].available).toBe(false)
    await curl.put('shared.txt', 'y')
    await link.getByText(/^Works until /).waitFor()
  })

  it('a file deleted or renamed by another client is removed from the list', async () => {
    const { page, curl } = await open()
    for (const name of ['gone.txt', 'old.txt']) await curl.put(name, 'x')
    const row = (name: string) => rowOf(page, name)
    await row('gone.txt').waitFor()
    await curl.call('/files/gone.txt', { method: 'DELETE' })
    await curl.post('/files/old.txt/move', { to: 'new.txt' })
    await row('gone.txt').waitFor({ state: 'detached' })
    await row('new.txt').waitFor()
    expect(await row('old.txt').count()).toBe(0)
  })

  it('the details of a job show its final state, however long they stay open', async () => {
    const { page, curl } = await open({ path: '/jobs' })
    const held = await holdUpload(curl, 'held.bin')
    const row = page.getByRole('article', { name: 'Upload held.bin' })
    await row.getByRole('button', { name: 'held.bin', exact: true }).click()
    const details = page.getByRole('dialog')
    await details.getByText('running', { exact: true }).waitFor()
    held.finish()
    await row.getByText('done', { exact: true }).waitFor()
    expect(await details.getByText('running', { exact: true }).count()).toBe(0)
    await details.getByText('done', { exact: true }).waitFor()
  })
})
