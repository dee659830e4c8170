import { truncate, writeFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller, holdUpload } from '../helpers/calls.js'
import { curl, describeWithCurl } from '../helpers/curl.js'
import { finish, openFolderJob, partOf } from '../helpers/folder-jobs.js'
import { shareServer } from '../helpers/shared-server.js'
import { slowly } from '../helpers/slow-transfers.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describeWithCurl('in the jobs view of the dashboard,', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function open(role = 'user') {
    const username = role === 'admin' ? 'admin' : `worker-${++people}`
    const page = await browser.signedIn(shared.server.url, { username, role, path: '/jobs' })
    const caller = new Caller(shared.server, await shared.server.logIn(username, role))
    return { page, caller }
  }

  const job = (page: Page, name: string) => page.getByRole('article', { name: `Upload ${name}` })
  const ended = (page: Page, name: string, state: string) => job(page, name).getByText(state, { exact: true })

  it.skipIf(!chromiumPath)('an upload of which a file has failed says so in its row', async () => {
    const { page, caller } = await open()
    const id = await openFolderJob(caller, 'photos/', { files: 2 })
    await caller.put('photos/a.jpg', 'a', partOf(id))
    const fault = { name: 'photos/b.jpg', code: 'invalid-request', message: 'It is too large.' }
    expect((await caller.post(`/jobs/${id}/failed`, { files: [fault] })).status).toBe(200)
    await finish(caller, id)
    await job(page, 'photos/').getByText('1 of 2 files, 1 failed').waitFor()
  })

  it.skipIf(!chromiumPath)('a click stops an upload by curl and shows the receipt; curl gets the error', async () => {
    const { page, caller } = await open()
    await page.getByText('Nothing yet').waitFor()
    // Two minutes of curl's time.
    const file = `${await temporaryFolder()}/large.bin`
    await writeFile(file, '')
    await truncate(file, 1024 ** 3)
    const upload = curl(
      '-T',
      file,
      ...slowly,
      '-H',
      `Authorization: Bearer ${caller.token}`,
      `${caller.url}/files/video.mkv`,
    )
    await job(page, 'video.mkv')
      .getByText(/MiB of 1.0 GiB/)
      .waitFor()
    await job(page, 'video.mkv')
      .getByText(/MiB\/s/)
      .waitFor()
    await job(page, 'video.mkv').getByRole('button', { name: 'Stop video.mkv' }).click()
    const { status, json } = await upload
    expect({ status, code: json.code, stoppedBy: json.stoppedBy }).toEqual({
      status: 409,
      code: 'job-stopped',
      stoppedBy: `user:worker-${people}`,
    })
    const receipt = page.getByTestId('receipt')
    await receipt.getByText(`user:worker-${people}`).waitFor()
    await receipt.getByText('yes, nothing is left').waitFor()
    await ended(page, 'video.mkv', 'stopped').waitFor()
    expect(await caller.names()).toEqual([])
  })

  it.skipIf(!chromiumPath)('a job is paused, limited and resumed, and its progress shown', async () => {
    const { page, caller } = await open()
    const held = await holdUpload(caller, 'held.bin')
    const row = job(page, 'held.bin')
    await row.getByRole('button', { name: 'Pause held.bin' }).click()
    await row.getByText('paused', { exact: true }).waitFor()
    expect((await caller.job(held.id)).state).toBe('paused')
    await row.getByRole('button', { name: 'Limit the rate of held.bin' }).click()
    await page.getByLabel('Bytes a second').fill('nonsense')
    await page.getByRole('button', { name: 'Limit', exact: true }).click()
    await page.getByRole('dialog').getByRole('alert').getByText('must be a size').waitFor()
    await page.getByLabel('Bytes a second').fill('5M')
    await page.keyboard.press('Enter')
    await row.getByText('limit 5.0 MiB/s').waitFor()
    expect((await caller.job(held.id)).rateLimit).toBe(5 * 1024 ** 2)
    await row.getByRole('button', { name: 'Resume held.bin' }).click()
    await row.getByText('paused', { exact: true }).waitFor({ state: 'detached' })
    await row.getByRole('button', { name: 'held.bin', exact: true }).click()
    await page.getByRole('dialog').getByText(held.id).waitFor()
    await page.getByRole('dialog').getByRole('img', { name: 'Rate of held.bin' }).waitFor()
    await page.keyboard.press('Escape')
    held.finish()
    await ended(page, 'held.bin', 'done').waitFor()
  })

  it.skipIf(!chromiumPath)('a job is paused and resumed by keyboard without losing the focus', async () => {
    const { page, caller } = await open()
    const held = await holdUpload(caller, 'held.bin')
    const row = job(page, 'held.bin')
    const focused = row.locator('button:focus')
    await row.getByRole('button', { name: 'Pause held.bin' }).focus()
    for (const next of ['Resume held.bin', 'Pause held.bin']) {
      await page.keyboard.press('Enter')
      await expect.poll(() => focused.getAttribute('aria-label', { timeout: 5000 }).catch(() => null)).toBe(next)
    }
    held.finish()
  })

  it.skipIf(!chromiumPath)('the tabs of a browser share one event stream, and another tab takes it over', async () => {
    const { page, caller } = await open()
    const streams = () => shared.server.logged.filter(({ message }) => message === 'GET /jobs/events 200').length
    const before = streams()
    const opened: string[] = []
    const context = page.context()
    context.on('request', (request) => {
      if (request.url().endsWith('/jobs/events')) opened.push(request.url())
    })
    const other = await context.newPage()
    await other.goto(`${caller.url}/jobs`)
    await other.getByText('Live', { exact: true }).waitFor()
    const held = await holdUpload(caller, 'seen-twice.bin')
    await job(page, 'seen-twice.bin').waitFor()
    await job(other, 'seen-twice.bin').waitFor()
    const third = await context.newPage()
    await third.goto(`${caller.url}/jobs`)
    await job(third, 'seen-twice.bin').waitFor()
    expect(opened).toEqual([])
    await page.close()
    await expect.poll(() => opened.length).toBe(1)
    await expect.poll(streams).toBe(before + 1)
    held.finish()
    await ended(other, 'seen-twice.bin', 'done').waitFor()
    await ended(third, 'seen-twice.bin', 'done').waitFor()
  })

  it.skipIf(!chromiumPath)('an admin sees all jobs and the rate of the server, and can stop any job', async () => {
    const { page } = await open('admin')
    const bob = await shared.newCaller()
    const held = await holdUpload(bob, 'of-bob.bin')
    await page.getByText('Nothing yet').waitFor()
    expect(await job(page, 'of-bob.bin').count()).toBe(0)
    await page.goto(`${shared.server.url}/admin/jobs`)
    await job(page, 'of-bob.bin').waitFor()
    await page.getByRole('img', { name: 'Rate of the whole server' }).waitFor()
    await job(page, 'of-bob.bin').getByRole('button', { name: 'Stop of-bob.bin' }).click()
    const question = page.getByRole('dialog', { name: 'Stop it?' })
    await question.getByText(/^It belongs to user:account-/).waitFor()
    await question.getByRole('button', { name: 'Stop', exact: true }).click()
    await question.waitFor({ state: 'detached' })
    expect((await held.answer).json).toMatchObject({ code: 'job-stopped', stoppedBy: 'admin:admin' })
  })

  it.skipIf(!chromiumPath)('an account other than an admin sees only its own jobs', async () => {
    const { page, caller } = await open()
    const bob = await shared.newCaller()
    const other = await holdUpload(bob, 'of-bob.bin')
    const own = await holdUpload(caller, 'of-mine.bin')
    await job(page, 'of-mine.bin').waitFor()
    expect(await job(page, 'of-bob.bin').count()).toBe(0)
    other.finish()
    own.finish()
  })
})
