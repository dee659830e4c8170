import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page, Request } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromiumPath, foreignHost, shareBrowser } from '../helpers/browser.js'
import { Caller, holdUpload } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { freePort } from '../helpers/ports.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const mebibyte = 1024 ** 2

describe.skipIf(!chromiumPath)('browser tabs over plain HTTP from another host', () => {
  const browser = shareBrowser()
  let server: TestServer
  let url: string
  beforeAll(async () => {
    const port = await freePort()
    url = `http://${foreignHost}:${port}`
    server = await startTestServer({ port, publicUrl: url })
  })
  afterAll(() => server.close())

  /** The first tab of a new person, with the event streams that the window's tabs have open. */
  async function open(username: string) {
    const streams = new Set<Request>()
    const page = await browser.signedIn(url, {
      username,
      path: '/jobs',
      async prepare(page) {
        const context = page.context()
        context.on('request', (request) => request.url().endsWith('/jobs/events') && streams.add(request))
        context.on('requestfailed', (request) => streams.delete(request))
        context.on('requestfinished', (request) => streams.delete(request))
      },
    })
    expect(await page.evaluate(() => [isSecureContext, navigator.locks === undefined])).toEqual([false, true])
    const newTab = async (path = '/jobs') => {
      const tab = await page.context().newPage()
      await tab.goto(url + path)
      await tab.getByText('Live', { exact: true }).waitFor()
      return tab
    }
    const caller = new Caller(server, await server.logIn(username))
    return { page, streams, newTab, caller }
  }

  const job = (page: Page, name: string) => page.getByRole('article', { name: `Upload ${name}` })

  it('share one event stream: ten tabs load, and each shows the jobs live', async () => {
    const { page, streams, newTab, caller } = await open('ten')
    const before = await holdUpload(caller, 'before.bin')
    const tabs = [page]
    while (tabs.length < 10) tabs.push(await newTab())
    for (const tab of tabs) await job(tab, 'before.bin').waitFor()
    before.finish()
    await before.answer
    const later = await holdUpload(caller, 'later.bin')
    for (const tab of tabs) await job(tab, 'later.bin').waitFor()
    await expect.poll(() => streams.size).toBe(1)
    later.finish()
  })

  it('do not copy the events for others that are not there', async () => {
    const { page, newTab, caller } = await open('alone')
    const held = await holdUpload(caller, 'held.bin')
    const { id } = await caller.findJob('kind=upload', ({ file }) => file === 'held.bin')
    await page.evaluate(() => {
      Reflect.set(window, 'copied', 0)
      new BroadcastChannel('filejobs-jobs user:alone').onmessage = ({ data }) => {
        if (data.type === 'news') Reflect.set(window, 'copied', Reflect.get(window, 'copied') + 1)
      }
    })
    const copied = () => page.evaluate(() => Reflect.get(window, 'copied') as number)
    let isPaused = false
    /** Whether the other tabs are told of the next change that this one shows. */
    const isTold = async () => {
      const before = await copied()
      isPaused = !isPaused
      expect((await caller.post(`/jobs/${id}/${isPaused ? 'pause' : 'resume'}`)).status).toBe(200)
      await job(page, 'held.bin')
        .getByRole('button', { name: `${isPaused ? 'Resume' : 'Pause'} held.bin` })
        .waitFor()
      return (await copied()) > before
    }
    await eventually('events are not copied', async () => (await isTold()) === false)
    const other = await newTab()
    await job(other, 'held.bin').waitFor()
    await eventually('events are copied', isTold)
    await other.close({ runBeforeUnload: true })
    await eventually('events are not copied any more', async () => (await isTold()) === false)
    held.finish()
  })

  it('continue with the events without a gap when the tab that reads them is closed', async () => {
    const { page, streams, newTab, caller } = await open('closer')
    const [second, third] = [await newTab(), await newTab()]
    const held = await holdUpload(caller, 'held.bin')
    for (const tab of [second, third]) await job(tab, 'held.bin').waitFor()
    const [first] = streams
    await page.close()
    held.finish()
    for (const tab of [second, third]) {
      await job(tab, 'held.bin').getByText('done', { exact: true }).waitFor()
    }
    const next = await eventually('another tab reads', () => [...streams].find((stream) => stream !== first))
    expect(await next.headerValue('last-event-id')).toMatch(/^[0-9a-f]+-\d+$/)
  })

  it('take over the event stream from a crashed tab', async () => {
    const { page, newTab, caller } = await open('crasher')
    const second = await newTab()
    const session = await page.context().newCDPSession(page)
    session.send('Page.crash').catch(() => {})
    const held = await holdUpload(caller, 'after.bin')
    await job(second, 'after.bin').waitFor()
    held.finish()
  })

  it('do not offer to discard an upload paused in another tab until no tab sends it', async () => {
    const { page, newTab, caller } = await open('pauser')
    await page.goto(`${url}/files/`)
    await page.route('**/tus', async (route) => {
      await route.continue({ headers: { ...route.request().headers(), 'filejobs-rate-limit': String(mebibyte) } })
    })
    const file = join(await temporaryFolder(), 'long.bin')
    await writeFile(file, randomBytes(32 * mebibyte))
    await page.getByLabel('Upload files').setInputFiles(file)
    const { id } = await caller.findJob('kind=upload', ({ bytes }) => bytes > mebibyte)
    expect((await caller.post(`/jobs/${id}/pause`)).status).toBe(200)
    const asked = page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          let questions = 0
          new BroadcastChannel('filejobs-sending').onmessage = ({ data }) => {
            if (data.type === 'who-sends' && ++questions === 6) resolve()
          }
        }),
    )
    const other = await newTab('/files/')
    await other.getByRole('link', { name: 'Transfers 1 running' }).waitFor()
    await asked
    const note = other.locator('[data-unfinished="long.bin"]')
    expect(await note.count()).toBe(0)
    await page.close()
    await note.getByText(/of 32.0 MiB have arrived/).waitFor()
  })
})
