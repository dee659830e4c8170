import { describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { Caller, holdUpload } from '../helpers/calls.js'
import { openCuttingProxy } from '../helpers/cutting-proxy.js'
import { startTestServer, type TestServer } from '../helpers/server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe.skipIf(!chromiumPath)('the dashboard without its server', () => {
  const browser = shareBrowser()

  it('shows that it is offline, and recovers without a reload when the server is back', async () => {
    const dataFolder = await temporaryFolder()
    const start = () => startTestServer({ dataFolder, shutdownGraceMs: 0 })
    let server: TestServer = await start()
    onTestFinished(() => server.close())
    // The way through which the page reaches whichever server runs.
    const proxy = await openCuttingProxy(() => server.url)
    const page = await browser.signedIn(proxy.url, { username: 'ann' })
    const loads: string[] = []
    page.on('domcontentloaded', () => loads.push(page.url()))
    const note = page.getByRole('alert').filter({ hasText: 'The server does not answer' })

    await server.close()
    await note.waitFor()
    await page.getByText('Offline', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Shared' }).click()
    await page.getByText('This could not be loaded').first().waitFor()

    server = await start()
    await page.getByText('Live', { exact: true }).waitFor()
    await note.waitFor({ state: 'detached' })
    await page.getByText('No links').waitFor()
    const caller = new Caller(server, await server.logIn('ann'))
    await page.getByRole('link', { name: /^Transfers/ }).click()
    const held = await holdUpload(caller, 'after.bin')
    await page.getByRole('article', { name: 'Upload after.bin' }).waitFor()
    held.finish()
    expect(loads).toEqual([])
  })

  it('loads a chart that failed to load once the server is back', async () => {
    const dataFolder = await temporaryFolder()
    const start = () => startTestServer({ dataFolder, shutdownGraceMs: 0 })
    let server: TestServer = await start()
    onTestFinished(() => server.close())
    const proxy = await openCuttingProxy(() => server.url)
    const page = await browser.signedIn(proxy.url)
    await server.close()
    await page.getByText('Offline', { exact: true }).waitFor()
    const asked = page.waitForEvent('requestfailed', (request) => /chart.*\.js$/.test(request.url()))
    await page.getByRole('link', { name: /^Transfers/ }).click()
    await asked
    server = await start()
    const chart = page.getByRole('img', { name: 'Rate of all my jobs' })
    await chart.waitFor()
    // What belongs to it has come too: its parts lie on each other.
    expect(await chart.locator('.u-over').evaluate((over) => getComputedStyle(over).position)).toBe('absolute')
  })

  it('opened while the server restarts waits for it', async () => {
    const server = await startTestServer()
    onTestFinished(() => server.close())
    const page = await (await browser.newWindow()).newPage()
    let isDown = true
    await page.route('**/auth/cookie', (route) => (isDown ? route.abort() : route.continue()))
    await page.goto(server.url)
    await page.getByText('The server does not answer. Trying again').waitFor()
    isDown = false
    await page.getByLabel('Username').waitFor()
  })
})
