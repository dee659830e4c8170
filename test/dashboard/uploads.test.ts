import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { chromiumPath, drop, rowOf, shareBrowser } from '../helpers/browser.js'
import { Caller, holdUpload } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { eventually } from '../helpers/eventually.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const mebibyte = 1024 ** 2
/** Nothing listens on port 1. */
const nowhere = 'http://127.0.0.1:1'

describe.skipIf(!chromiumPath)('uploads of the dashboard', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function open(prepare?: (page: Page) => Promise<void>, url = shared.server.url) {
    const username = `sender-${++people}`
    const page = await browser.signedIn(url, { username, keepsTrayOpen: true, ...(prepare ? { prepare } : {}) })
    const curl = new Caller(shared.server, await shared.server.logIn(username))
    return { page, curl, upload: (name: string) => page.locator(`[data-upload=${JSON.stringify(name)}]`) }
  }

  async function write(folder: string, name: string, bytes: Buffer): Promise<string> {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), bytes)
    return join(folder, name)
  }

  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

  async function digestOf(curl: Caller, name: string): Promise<string> {
    const { json } = await curl.call('/files?limit=1000')
    return json.files.find((file: { name: string }) => file.name === name)?.sha256
  }

  /** Holds the rate of every upload down from its creation on, so that a test can look at it. */
  async function slowly(page: Page): Promise<void> {
    await page.route('**/tus', async (route) => {
      await route.continue({ headers: { ...route.request().headers(), 'filejobs-rate-limit': String(mebibyte) } })
    })
  }

  it('send a dropped file, with a progress bar', async () => {
    const { page, curl, upload } = await open()
    const folder = await temporaryFolder()
    const big = randomBytes(3 * mebibyte)
    await drop(page, [await write(folder, 'big.bin', big)])
    await upload('big.bin').getByText('done').waitFor()
    expect(await upload('big.bin').getByRole('progressbar').getAttribute('aria-valuenow')).toBe('100')
    expect(await curl.names()).toEqual(['big.bin'])
    expect(await digestOf(curl, 'big.bin')).toBe(sha256(big))
  })

  it('send what is chosen later after what was chosen before', async () => {
    const { page, curl } = await open()
    const folder = await temporaryFolder()
    const names = ['one.bin', 'two.bin', 'empty.txt']
    for (const name of names) {
      const file = await write(folder, name, name === 'empty.txt' ? Buffer.alloc(0) : randomBytes(mebibyte))
      await page.getByLabel('Upload files').setInputFiles(file)
    }
    // Items that have ended are not shown any more when the next one is chosen.
    const jobs = await eventually('all have ended', async () => {
      const { json } = await curl.call('/jobs?kind=upload&state=done')
      return json.jobs.length === names.length && json.jobs
    })
    const times = jobs.map((job: { startedAt: string; endedAt: string }) => [job.startedAt, job.endedAt]).reverse()
    for (const [index, [startedAt]] of times.entries()) {
      if (index > 0) expect(startedAt >= times[index - 1][1]).toBe(true)
    }
  })

  it('send selected files and a folder', async () => {
    const { page, curl } = await open()
    const folder = await temporaryFolder()
    const one = await write(folder, 'one.txt', Buffer.from('1'))
    await write(folder, 'tree/two.txt', Buffer.from('2'))
    await page.getByLabel('Upload files').setInputFiles(one)
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'tree'))
    await expect.poll(() => curl.names()).toEqual(['one.txt', 'tree/two.txt'])
  })

  it('ask before they replace a file', async () => {
    const { page, curl, upload } = await open()
    await curl.put('same.txt', 'old')
    const file = await write(await temporaryFolder(), 'same.txt', Buffer.from('new'))
    await page.getByLabel('Upload files').setInputFiles(file)
    await upload('same.txt').getByText('a file of this name exists').waitFor()
    expect((await curl.call('/files/same.txt')).body.toString()).toBe('old')
    await upload('same.txt').getByRole('button', { name: 'Replace' }).click()
    await upload('same.txt').getByText('done').waitFor()
    expect((await curl.call('/files/same.txt')).body.toString()).toBe('new')
  })

  it('can be stopped: the receipt is shown, and the next upload starts', async () => {
    const { page, curl, upload } = await open(slowly)
    const folder = await temporaryFolder()
    const slow = await write(folder, 'slow.bin', randomBytes(32 * mebibyte))
    const next = await write(folder, 'next.txt', Buffer.from('next'))
    for (const file of [slow, next]) await page.getByLabel('Upload files').setInputFiles(file)
    await upload('slow.bin')
      .getByText(/MiB of 32.0 MiB/)
      .waitFor()
    await upload('slow.bin').getByRole('button', { name: 'Stop the upload of slow.bin' }).click()
    const receipt = page.getByTestId('receipt')
    await receipt.getByText('yes, nothing is left').waitFor()
    await upload('slow.bin').getByText('Stopped by you.').waitFor()
    await upload('next.txt').getByText('done').waitFor()
    expect(await curl.names()).toEqual(['next.txt'])
  })

  it('show who stopped an upload from another client, and send no more of it', async () => {
    const { page, curl, upload } = await open(slowly)
    const slow = await write(await temporaryFolder(), 'slow.bin', randomBytes(32 * mebibyte))
    await page.getByLabel('Upload files').setInputFiles(slow)
    await upload('slow.bin')
      .getByText(/of 32.0 MiB/)
      .waitFor()
    const admin = await shared.admin()
    const job = await curl.findJob('kind=upload', ({ bytes }) => bytes > 0)
    expect((await admin.post(`/jobs/${job.id}/stop`)).status).toBe(200)
    await upload('slow.bin').getByText('Stopped by admin:admin.').waitFor()
    expect(await curl.names()).toEqual([])
  })

  it('wait for an upload of the same account by another client', async () => {
    const { page, curl, upload } = await open()
    const held = await holdUpload(curl, 'first.bin')
    const file = await write(await temporaryFolder(), 'second.txt', Buffer.from('2'))
    await page.getByLabel('Upload files').setInputFiles(file)
    await upload('second.txt').getByText('waits for another upload of yours to end').waitFor()
    held.finish()
    await upload('second.txt').getByText('done').waitFor()
    expect(await curl.names()).toEqual(['first.bin', 'second.txt'])
  })

  it('request the slot again if a proxy limits how long a request may wait', async () => {
    let refused = 0
    const { page, curl, upload } = await open(async (page) => {
      page.on('response', (response) => {
        if (response.status() === 423) refused++
      })
      await page.route('**/tus/*', async (route) => {
        await route.continue({ headers: { ...route.request().headers(), prefer: 'wait=1' } })
      })
    })
    const held = await holdUpload(curl, 'first.bin')
    const content = randomBytes(mebibyte)
    const file = await write(await temporaryFolder(), 'second.bin', content)
    await page.getByLabel('Upload files').setInputFiles(file)
    await eventually('it was refused more than once', () => refused > 1)
    expect(await upload('second.bin').textContent()).toContain('waits for another upload of yours to end')
    held.finish()
    await upload('second.bin').getByText('done').waitFor()
    expect(await digestOf(curl, 'second.bin')).toBe(sha256(content))
  })

  it('are shown as unfinished in another tab only when no tab sends them any more', async () => {
    const { page, curl } = await open(slowly)
    const file = await write(await temporaryFolder(), 'long.bin', randomBytes(32 * mebibyte))
    await page.getByLabel('Upload files').setInputFiles(file)
    const job = await curl.findJob('kind=upload', ({ bytes }) => bytes > mebibyte)
    expect((await curl.post(`/jobs/${job.id}/pause`)).status).toBe(200)
    const other = await page.context().newPage()
    await other.goto(shared.server.url)
    await other.getByRole('link', { name: 'Transfers 1 running' }).waitFor()
    const note = other.locator('[data-unfinished="long.bin"]')
    expect(await note.count()).toBe(0)
    await page.close()
    await note.getByText(/of 32.0 MiB have arrived/).waitFor()
  })

  it('resume after a reload when the same file is selected again', async () => {
    const { page, curl, upload } = await open(slowly)
    const bytes = randomBytes(32 * mebibyte)
    const file = await write(await temporaryFolder(), 'long.bin', bytes)
    await page.getByLabel('Upload files').setInputFiles(file)
    const job = await curl.findJob('kind=upload', ({ bytes }) => bytes > mebibyte)
    page.on('dialog', (dialog) => dialog.accept())
    await page.reload()
    const note = page.locator('[data-unfinished="long.bin"]')
    await note.getByText(/of 32.0 MiB have arrived/).waitFor()
    await note.getByLabel('Choose long.bin again').setInputFiles(file)
    await upload('long.bin').getByText('resumed at').waitFor()
    expect((await curl.call(`/jobs/${job.id}`, { method: 'PATCH', body: { rateLimit: null } })).status).toBe(200)
    await upload('long.bin').getByText('done').waitFor()
    expect(await digestOf(curl, 'long.bin')).toBe(sha256(bytes))
    expect((await curl.call('/jobs?kind=upload')).json.jobs.map(({ id }: { id: string }) => id)).toEqual([job.id])
  })

  it('resume after a reload by a click, where the browser keeps hold of the files', async () => {
    // No test can use the dialog of the browser: it is answered with a file of the page's own storage, whose handle is kept
    // like any other, and needs no permission.
    const { page, curl, upload } = await open(async (page) => {
      await slowly(page)
      await page.addInitScript(() => {
        const pick = async () => {
          const root = await navigator.storage.getDirectory()
          const handle = await root.getFileHandle('picked.bin', { create: true })
          if ((await handle.getFile()).size === 0) {
            const stream = await handle.createWritable()
            await stream.write(new Uint8Array(16 * 1024 ** 2).fill(7))
            await stream.close()
          }
          return [handle]
        }
        Reflect.set(window, 'showOpenFilePicker', pick)
      })
    })
    await page.getByText('Upload files', { exact: true }).click()
    const job = await curl.findJob('kind=upload', ({ bytes }) => bytes > mebibyte)
    page.on('dialog', (dialog) => dialog.accept())
    await page.reload()
    const note = page.locator('[data-unfinished="picked.bin"]')
    await note.getByRole('button', { name: 'Resume the upload of picked.bin' }).click()
    await upload('picked.bin').getByText('resumed at').waitFor()
    expect((await curl.call(`/jobs/${job.id}`, { method: 'PATCH', body: { rateLimit: null } })).status).toBe(200)
    await upload('picked.bin').getByText('done').waitFor()
    expect(await digestOf(curl, 'picked.bin')).toBe(sha256(Buffer.alloc(16 * mebibyte, 7)))
    expect((await curl.call('/jobs?kind=upload')).json.jobs.map(({ id }: { id: string }) => id)).toEqual([job.id])
  })

  it('of a chosen folder resume by a click likewise, with its empty folders', async () => {
    const { page, curl, upload } = await open(async (page) => {
      await slowly(page)
      await page.addInitScript(() => {
        const pick = async () => {
          const root = await navigator.storage.getDirectory()
          const folder = await root.getDirectoryHandle('set', { create: true })
          const below = await folder.getDirectoryHandle('below', { create: true })
          await folder.getDirectoryHandle('empty', { create: true })
          for (const [place, name, bytes] of [
            [folder, 'a.txt', 1],
            [below, 'b.bin', 16 * 1024 ** 2],
          ] as const) {
            const stream = await (await place.getFileHandle(name, { create: true })).createWritable()
            await stream.write(new Uint8Array(bytes).fill(7))
            await stream.close()
          }
          return folder
        }
        Reflect.set(window, 'showDirectoryPicker', pick)
      })
    })
    await page.route('**/jobs', async (route) => {
      await route.continue({ headers: { ...route.request().headers(), 'filejobs-rate-limit': String(mebibyte) } })
    })
    await page.getByText('Upload a folder', { exact: true }).click()
    const job = await curl.findJob('kind=upload', ({ bytes }) => bytes > mebibyte)
    page.on('dialog', (dialog) => dialog.accept())
    await page.reload()
    const note = page.locator('[data-unfinished="set/"]')
    await note.getByText(/of 16.0 MiB have arrived/).waitFor()
    expect((await curl.call(`/jobs/${job.id}`, { method: 'PATCH', body: { rateLimit: null } })).status).toBe(200)
    await note.getByRole('button', { name: 'Resume the upload of set/' }).click()
    await upload('set/').getByText('done').waitFor()
    expect(await digestOf(curl, 'set/below/b.bin')).toBe(sha256(Buffer.alloc(16 * mebibyte, 7)))
    await rowOf(page, 'set/').getByRole('link').click()
    await rowOf(page, 'set/empty/').waitFor()
    expect((await curl.call('/jobs?kind=upload')).json.jobs.map(({ id }: { id: string }) => id)).toEqual([job.id])
  }, 240_000)

  it('of a dropped folder are kept hold of likewise, and can be discarded', async () => {
    const { page, curl } = await open(slowly)
    await page.route('**/jobs', async (route) => {
      await route.continue({ headers: { ...route.request().headers(), 'filejobs-rate-limit': String(mebibyte) } })
    })
    const folder = await temporaryFolder()
    await write(folder, 'set/a.txt', Buffer.from('a'))
    await write(folder, 'set/below/b.bin', randomBytes(16 * mebibyte))
    await drop(page, [join(folder, 'set')])
    await curl.findJob('kind=upload', ({ bytes }) => bytes > mebibyte)
    page.on('dialog', (dialog) => dialog.accept())
    await page.reload()
    const note = page.locator('[data-unfinished="set/"]')
    await note.getByRole('button', { name: 'Resume the upload of set/' }).waitFor()
    await note.getByRole('button', { name: 'Discard' }).click()
    await page.getByTestId('receipt').getByText('yes, nothing incomplete is left').waitFor()
    expect(await note.count()).toBe(0)
  })

  it('interrupted by a reload can be discarded', async () => {
    const { page, curl } = await open(slowly)
    const file = await write(await temporaryFolder(), 'long.bin', randomBytes(32 * mebibyte))
    await page.getByLabel('Upload files').setInputFiles(file)
    await curl.findJob('kind=upload', ({ bytes }) => bytes > 0)
    page.on('dialog', (dialog) => dialog.accept())
    await page.reload()
    await page.locator('[data-unfinished="long.bin"]').getByRole('button', { name: 'Discard' }).click()
    await page.getByTestId('receipt').getByText('yes, nothing is left').waitFor()
    expect((await curl.call('/jobs?state=running,interrupted')).json.jobs).toEqual([])
  })

  it('resume automatically after a lost connection', async () => {
    let isDown = false
    const proxy = await openCuttingProxy(() => (isDown ? nowhere : shared.server.url))
    const { page, curl, upload } = await open(slowly, proxy.url)
    const bytes = randomBytes(4 * mebibyte)
    const file = await write(await temporaryFolder(), 'long.bin', bytes)
    await page.getByLabel('Upload files').setInputFiles(file)
    await curl.findJob('kind=upload', ({ bytes }) => bytes > mebibyte / 2)
    isDown = true
    proxy.cutAll()
    await upload('long.bin').getByText('the connection is lost, trying again').waitFor()
    isDown = false
    await upload('long.bin').getByText('done').waitFor()
    expect(await digestOf(curl, 'long.bin')).toBe(sha256(bytes))
  })

  it('show the reason of a failure', async () => {
    const { page, curl, upload } = await open()
    await curl.put('folder', 'a file')
    const folder = await temporaryFolder()
    await write(folder, 'folder/below.txt', Buffer.from('x'))
    await page.getByLabel('Upload a folder').setInputFiles(join(folder, 'folder'))
    await upload('folder/below.txt')
      .getByText(/one of its folders is the name of a file/)
      .waitFor()
    await curl.call('/files/folder', { method: 'DELETE' })
    await upload('folder/below.txt').getByRole('button', { name: 'Try again' }).click()
    await upload('folder/below.txt').getByText('done').waitFor()
  })
})
