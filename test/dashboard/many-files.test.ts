import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { chromiumPath, drop, shareBrowser } from '../helpers/browser.js'
import { Caller, holdUpload } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { startTestServer } from '../helpers/server.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const mebibyte = 1024 ** 2

describe.skipIf(!chromiumPath)('several files at once, in the dashboard,', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function open({ isSlow = false, url = shared.server.url, logIn = shared.server.logIn } = {}) {
    const username = `sender-${++people}`
    const requests: string[] = []
    const prepare = async (page: Page) => {
      page.on('request', (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`))
      if (!isSlow) return
      // A person who looks at it needs time.
      await page.route('**/jobs', async (route) => {
        await route.continue({ headers: { ...route.request().headers(), 'filejobs-rate-limit': String(mebibyte) } })
      })
    }
    const page = await browser.signedIn(url, { username, keepsTrayOpen: true, prepare })
    const curl = new Caller({ url }, await logIn(username))
    return { page, curl, requests, upload: (name: string) => page.locator(`[data-upload=${JSON.stringify(name)}]`) }
  }

  /** Files with these sizes, or contents, in a folder. */
  async function folderOf(files: Record<string, number | string>): Promise<string> {
    const folder = await temporaryFolder()
    for (const [name, content] of Object.entries(files)) {
      await mkdir(join(folder, name, '..'), { recursive: true })
      await writeFile(join(folder, name), typeof content === 'string' ? content : randomBytes(content))
    }
    return folder
  }

  async function uploadJobs(curl: Caller) {
    return (await curl.call('/jobs?kind=upload')).json.jobs
  }

  it('are one job with one progress bar, and folders keep their paths', async () => {
    const { page, curl, upload } = await open()
    const names = ['big.bin', 'trip/day 1/ä.txt', 'trip/day 2/empty.txt', `trip/day 2/${'n'.repeat(120)}.txt`]
    const folder = await folderOf({ [names[0]!]: 3 * mebibyte, [names[1]!]: 'a', [names[2]!]: '', [names[3]!]: 'n' })
    await drop(page, [join(folder, 'big.bin'), join(folder, 'trip')])
    await upload('4 files').getByText('4 files · 3.0 MiB · done').waitFor()
    expect(await upload('4 files').getByRole('progressbar').getAttribute('aria-valuenow')).toBe('100')
    expect(await page.locator('[data-upload]').count()).toBe(1)
    expect(await curl.names()).toEqual(names)
    expect((await curl.call(`/files/${encodeURI(names[1]!)}`)).body.toString()).toBe('a')
    expect(await uploadJobs(curl)).toMatchObject([{ state: 'done', file: '', files: { total: 4, done: 4, failed: 0 } }])
  })

  it('of a folder are a job with its name, which the list of jobs shows', async () => {
    const { page, curl, upload } = await open()
    const folder = await folderOf({ 'tree/one.txt': '1', 'tree/below/two.txt': '22' })
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'tree'))
    await upload('tree/').getByText('2 files · 3 B · done').waitFor()
    expect(await curl.names()).toEqual(['tree/below/two.txt', 'tree/one.txt'])
    expect(await uploadJobs(curl)).toMatchObject([{ file: 'tree/', files: { done: 2 } }])
    await page.getByRole('link', { name: 'Transfers', exact: true }).click()
    await page
      .getByRole('article', { name: 'Upload tree/' })
      .getByRole('button', { name: 'tree/', exact: true })
      .click()
    await page.getByRole('dialog').getByText('2 of 2 files').waitFor()
  })

  it('need few requests where they are small', async () => {
    const { page, curl, upload, requests } = await open()
    const small = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`small/${index}.txt`, `${index}`]))
    const folder = await folderOf(small)
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'small'))
    await upload('small/').getByText('200 files · 490 B · done').waitFor()
    expect(await curl.names()).toHaveLength(200)
    const [job] = await uploadJobs(curl)
    const sent = requests.filter((request) => /^(POST|PUT|PATCH|HEAD) /.test(request))
    expect(sent).toEqual(['POST /jobs', 'PUT /files/small/', `POST /jobs/${job.id}/finish`])
  })

  it('that are dropped are found without a wait for each of them', async () => {
    const { page, curl, upload, requests } = await open()
    await page.evaluate(() => {
      const { webkitGetAsEntry } = DataTransferItem.prototype
      Reflect.set(window, 'entries', 0)
      DataTransferItem.prototype.webkitGetAsEntry = function () {
        Reflect.set(window, 'entries', Reflect.get(window, 'entries') + 1)
        return webkitGetAsEntry.call(this)
      }
    })
    const names = Array.from({ length: 50 }, (_, index) => `${index}.txt`)
    const folder = await folderOf({ ...Object.fromEntries(names.map((name) => [name, name])), 'sub/in.txt': 'in' })
    await drop(
      page,
      [...names, 'sub'].map((name) => join(folder, name)),
    )
    await upload('51 files').getByText('51 files · 292 B · done').waitFor()
    expect(await page.evaluate(() => Reflect.get(window, 'entries'))).toBe(1)
    expect((await curl.names()).toSorted()).toEqual([...names, 'sub/in.txt'].toSorted())
    expect((await curl.call('/files/49.txt')).body.toString()).toBe('49.txt')
    expect(requests.filter((request) => request.startsWith('PUT '))).toEqual(['PUT /files/'])
  })

  it('of a folder that is named like a file are found, with its empty folders', async () => {
    const { page, curl, upload } = await open()
    const folder = await folderOf({ 'trip.txt/a.txt': 'a', 'trip.txt/below/b.txt': 'b' })
    await mkdir(join(folder, 'trip.txt/none'))
    await drop(page, [join(folder, 'trip.txt')])
    await upload('trip.txt/').getByText('2 files and 1 empty folder · 2 B · done').waitFor()
    expect(await curl.names()).toEqual(['trip.txt/a.txt', 'trip.txt/below/b.txt'])
    expect((await curl.call('/files?delimiter=/&prefix=trip.txt/')).json.folders).toMatchObject([
      { name: 'trip.txt/below/' },
      { name: 'trip.txt/none/' },
    ])
  })

  it('are sent several at a time', async () => {
    const { page, curl } = await open({ isSlow: true })
    const folder = await folderOf({ 'set/a.bin': 8 * mebibyte, 'set/b.bin': 8 * mebibyte, 'set/c.bin': 8 * mebibyte })
    const patched = new Set<string>()
    page.on('request', (request) => request.method() === 'PATCH' && patched.add(request.url()))
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'set'))
    await expect.poll(() => patched.size, { timeout: 60_000 }).toBe(3)
    expect(await curl.names()).toEqual([])
  })

  it('are paused, limited and stopped as one, and the rest is sent again', async () => {
    const { page, curl, upload } = await open({ isSlow: true })
    const folder = await folderOf({ 'set/a.txt': 'a', 'set/b.bin': 24 * mebibyte, 'set/c.bin': 24 * mebibyte })
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'set'))
    await upload('set/').getByText('1 of 3 files').waitFor()
    await upload('set/').getByRole('button', { name: 'Pause the upload of set/' }).click()
    await upload('set/').getByText('paused').waitFor()
    await upload('set/').getByRole('button', { name: 'Resume the upload of set/' }).click()
    await upload('set/').getByRole('button', { name: 'Limit the rate of set/' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '5 MiB/s' }).click()
    await upload('set/').getByText('limit 5.0 MiB/s').waitFor()
    await upload('set/').getByRole('button', { name: 'Stop the upload of set/' }).click()
    const receipt = page.getByTestId('receipt')
    await receipt.getByText('1 file, 1 B').waitFor()
    await receipt.getByText('yes, nothing incomplete is left').waitFor()
    await upload('set/').getByText('Stopped by you.').waitFor()
    expect(await curl.names()).toEqual(['set/a.txt'])
    await page.unroute('**/jobs')
    await upload('set/').getByRole('button', { name: 'Try again' }).click()
    await upload('set/').getByText('3 files · 48.0 MiB · done').waitFor()
    const [again, first] = await uploadJobs(curl)
    expect([first.state, again.state, again.files.total]).toEqual(['stopped', 'done', 2])
  })

  it('show who stopped them from another client', async () => {
    const { page, curl, upload } = await open({ isSlow: true })
    const folder = await folderOf({ 'set/b.bin': 24 * mebibyte, 'set/c.bin': 24 * mebibyte })
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'set'))
    const job = await curl.findJob('kind=upload', ({ bytes }) => bytes > 0)
    expect((await (await shared.admin()).post(`/jobs/${job.id}/stop`)).status).toBe(200)
    await upload('set/').getByText('Stopped by admin:admin.').waitFor()
    expect(await curl.names()).toEqual([])
  })

  it('that fail or exist are named, and can be tried again or replaced, while the others arrive', async () => {
    const { page, curl, upload } = await open()
    await curl.put('set/taken/file', 'x')
    for (const name of ['set/small.txt', 'set/large.bin']) await curl.put(name, 'old')
    const files = { 'set/taken': 't', 'set/small.txt': 'new', 'set/large.bin': mebibyte, 'set/good.txt': 'good' }
    const tooLong = `set/${'l'.repeat(245)}`
    const folder = await folderOf({ ...files, [tooLong]: 'l' })
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'set'))
    await upload('set/').getByText('1 file · 4 B · done').waitFor()
    await upload('set/taken').getByText('it is a folder').waitFor()
    await upload(tooLong)
      .getByText(/more than 240 bytes/)
      .waitFor()
    await page.getByRole('status').getByText('4 need you').waitFor()
    for (const name of ['set/small.txt', 'set/large.bin']) {
      await upload(name).getByText('a file of this name exists').waitFor()
      expect((await curl.call(`/files/${name}`)).body.toString()).toBe('old')
    }
    await page.getByRole('button', { name: 'Replace all' }).click()
    await upload('set/').getByText('2 files · 1.0 MiB · done').waitFor()
    expect((await curl.call('/files/set/small.txt')).body.toString()).toBe('new')
    await curl.call('/files/set/taken/', { method: 'DELETE' })
    await upload('set/taken').getByRole('button', { name: 'Try again' }).click()
    await upload('set/taken').getByText('done').waitFor()
    expect(await curl.names()).toEqual(['set/good.txt', 'set/large.bin', 'set/small.txt', 'set/taken'])
  })

  it('of which many exist are asked about once, and looked at few at a time', async () => {
    const { page, curl, upload } = await open()
    const names = Array.from({ length: 40 }, (_, index) => `set/${index}.txt`)
    for (const name of names) await curl.put(name, `${name === 'set/7.txt' ? 'other' : 'same'}`)
    const folder = await folderOf(Object.fromEntries(names.map((name) => [name, 'same'])))
    const looks = { all: 0, now: 0, most: 0 }
    await page.route('**/files/set/*', async (route) => {
      if (route.request().method() !== 'HEAD') return route.continue()
      looks.all += 1
      looks.now += 1
      looks.most = Math.max(looks.most, looks.now)
      const response = await route.fetch()
      looks.now -= 1
      await route.fulfill({ response })
    })
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'set'))
    await page.getByText('A file of this name exists already.').waitFor()
    await upload('set/7.txt')
      .getByText(/a file of this name exists: 5 B/)
      .waitFor()
    expect(looks).toEqual({ all: 40, now: 0, most: 3 })
    await page.getByRole('button', { name: 'Replace all' }).click()
    await expect.poll(async () => (await curl.call('/files/set/7.txt')).body.toString()).toBe('same')
  })

  it('that have changed or vanished since they were chosen fail alone, by name', async () => {
    const { page, curl, upload } = await open()
    const folder = await folderOf({ 'set/a.txt': 'a', 'set/gone.txt': 'gone', 'set/changed.bin': mebibyte })
    const held = await holdUpload(curl, 'first.bin')
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'set'))
    await upload('set/').getByText('waits for another upload of yours to end').waitFor()
    await rm(join(folder, 'set/gone.txt'))
    await writeFile(join(folder, 'set/changed.bin'), 'changed')
    held.finish()
    await upload('set/').getByText('1 file · 1 B · done').waitFor()
    for (const name of ['set/gone.txt', 'set/changed.bin']) {
      await upload(name)
        .getByText(/has changed since it was chosen/)
        .waitFor()
    }
    expect(await curl.names()).toEqual(['first.bin', 'set/a.txt'])
    expect((await uploadJobs(curl))[0].files).toMatchObject({ done: 1, failed: 2 })
  })

  it('resume after a reload when they are chosen again, without what has arrived', async () => {
    const { page, curl, upload } = await open({ isSlow: true })
    const folder = await folderOf({ 'set/a.txt': 'a', 'set/b.bin': 8 * mebibyte, 'set/c.bin': 8 * mebibyte })
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'set'))
    const job = await curl.findJob('kind=upload', ({ bytes, files }) => bytes > mebibyte && files?.done === 1)
    page.on('dialog', (dialog) => dialog.accept())
    await page.reload()
    const note = page.locator('[data-unfinished="set/"]')
    await note.getByText(/of 16.0 MiB have arrived/).waitFor()
    expect((await curl.call(`/jobs/${job.id}`, { method: 'PATCH', body: { rateLimit: null } })).status).toBe(200)
    await note.getByLabel('Choose set/ again').setInputFiles(join(folder, 'set'))
    await upload('set/').getByText('3 files · 16.0 MiB · done').waitFor()
    expect(await curl.names()).toEqual(['set/a.txt', 'set/b.bin', 'set/c.bin'])
    expect(await uploadJobs(curl)).toMatchObject([{ id: job.id, state: 'done', files: { done: 3, failed: 0 } }])
  }, 240_000)

  it('other than those of an unfinished upload do not resume it', async () => {
    const { page, curl } = await open({ isSlow: true })
    const folder = await folderOf({ 'b.bin': 16 * mebibyte, 'c.bin': 16 * mebibyte, 'd.bin': 5 })
    await page.getByLabel('Upload files').setInputFiles([join(folder, 'b.bin'), join(folder, 'c.bin')])
    await curl.findJob('kind=upload', ({ bytes }) => bytes > 0)
    page.on('dialog', (dialog) => dialog.accept())
    await page.reload()
    const note = page.locator('[data-unfinished="2 files"]')
    await note.getByLabel('Choose 2 files again').setInputFiles([join(folder, 'b.bin'), join(folder, 'd.bin')])
    await page.getByText('Those are other files').waitFor()
    await note.getByRole('button', { name: 'Discard' }).click()
    await page.getByTestId('receipt').getByText('yes, nothing incomplete is left').waitFor()
    await note.waitFor({ state: 'detached' })
    expect((await curl.call('/jobs?state=running,interrupted')).json.jobs).toEqual([])
  })

  it('continue after a lost connection', async () => {
    const proxy = await openCuttingProxy(shared.server.url)
    const { page, curl, upload } = await open({ isSlow: true, url: proxy.url })
    const folder = await folderOf({ 'set/a.txt': 'a', 'set/b.bin': 4 * mebibyte, 'set/c.bin': 4 * mebibyte })
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'set'))
    const job = await curl.findJob('kind=upload', ({ bytes }) => bytes > mebibyte)
    proxy.goDown()
    await upload('set/').getByText('the connection is lost, trying again').waitFor()
    await proxy.goUp()
    await upload('set/').getByText('3 files · 8.0 MiB · done').waitFor()
    expect(await uploadJobs(curl)).toMatchObject([{ id: job.id, state: 'done', files: { done: 3, failed: 0 } }])
  })

  it('continue with another job if the server has lost theirs', async () => {
    const dataFolder = await temporaryFolder()
    let server = await startTestServer({ dataFolder, shutdownGraceMs: 0 })
    const proxy = await openCuttingProxy(() => server.url)
    const { page, curl, upload } = await open({ isSlow: true, url: proxy.url, logIn: server.logIn })
    const folder = await folderOf({ 'set/a.txt': 'a', 'set/b.bin': 12 * mebibyte, 'set/c.bin': 12 * mebibyte })
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'set'))
    await curl.findJob('kind=upload', ({ bytes, files }) => bytes > mebibyte && files?.done === 1)
    await page.unroute('**/jobs')
    proxy.goDown()
    await server.close()
    server = await startTestServer({ dataFolder })
    try {
      await proxy.goUp()
      await upload('set/').getByText('3 files · 24.0 MiB · done').waitFor()
      expect(await curl.names()).toEqual(['set/a.txt', 'set/b.bin', 'set/c.bin'])
      const jobs = await uploadJobs(curl)
      expect(jobs.map(({ state }: { state: string }) => state)).toEqual(['done', 'failed'])
      expect(jobs[0].files).toMatchObject({ total: 2, done: 2 })
    } finally {
      await server.close()
    }
  })
})
