import type { Page } from 'playwright-core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath, foreignHost, openAccountMenu, password, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { freePort } from '../helpers/ports.js'
import { startTestServer } from '../helpers/server.js'
import { shareServer } from '../helpers/shared-server.js'

const phone = { viewport: { width: 390, height: 780 }, isMobile: true }
const layouts = [
  ['on a desktop', { viewport: { width: 1440, height: 900 } }],
  ['on a phone', phone],
] as const

describe.skipIf(!chromiumPath)('the addresses of the dashboard', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true })
  const pathOf = (page: Page) => page.evaluate(() => location.pathname + location.search + location.hash)

  it.each(layouts)('lead from view to view, Back and Forward, and through a reload, %s', async (_, layout) => {
    const page = await browser.signedIn(shared.server.url, layout)
    let loads = 0
    page.on('domcontentloaded', () => {
      loads += 1
    })
    expect(await pathOf(page)).toBe('/files/')
    const views = page.getByRole('navigation', { name: 'Views' })
    for (const [name, path] of [
      ['Transfers', '/jobs'],
      ['Data', '/tables'],
      ['Shared', '/shared'],
    ] as const) {
      await views.getByRole('link', { name }).click()
      await heading(page, name).waitFor()
      expect(await pathOf(page)).toBe(path)
      expect(await page.title()).toBe(`${name} · filejobs`)
      expect(await views.getByRole('link', { name }).getAttribute('aria-current')).toBe('page')
      // Those who listen hear where they are.
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(name)
    }
    await page.goBack()
    await heading(page, 'Data').waitFor()
    await page.goForward()
    await heading(page, 'Shared').waitFor()
    expect(loads).toBe(0)
    await page.reload()
    await heading(page, 'Shared').waitFor()
    await openAccountMenu(page)
    await page.getByRole('link', { name: 'Account' }).click()
    await heading(page, 'Account').waitFor()
    expect(await pathOf(page)).toBe('/account')
    expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(1)
  })

  it('open a job of its own, which can be sent as a link', async () => {
    const username = 'sender'
    const caller = new Caller(shared.server, await shared.server.logIn(username))
    await caller.put('report.txt', 'text')
    const { id } = await caller.findJob('kind=upload&state=done')
    const page = await browser.signedIn(shared.server.url, { username, path: '/jobs' })
    await page.getByRole('button', { name: 'report.txt' }).click()
    await page.getByRole('dialog').getByText(id).waitFor()
    expect(await pathOf(page)).toBe(`/jobs/${id}`)
    await page.keyboard.press('Escape')
    await page.waitForURL('**/jobs')
    await page.goBack()
    await page.getByRole('dialog').getByText(id).waitFor()
    const other = await page.context().newPage()
    await other.goto(`${shared.server.url}/jobs/${id}`)
    await other.getByRole('dialog').getByText(id).waitFor()
  })

  it.each([
    ['/#/jobs', '/jobs'],
    ['/#/tables/sales', '/tables/sales'],
    ['/#/links', '/shared'],
    ['/#/account', '/account'],
    ['/#/files', '/files/'],
    // What an account does not have leads to what it has.
    ['/#/files/depot', '/files/'],
    ['/published/depot/', '/files/'],
    ['/admin/accounts', '/files/'],
  ])('%s leads to %s', async (from, to) => {
    const page = await browser.signedIn(shared.server.url, { path: from })
    await page.waitForURL(shared.server.url + to)
    await page.getByRole('heading', { level: 1 }).first().waitFor()
  })

  it('open a window of their own with a modifier key, and links to files are left to the browser', async () => {
    const page = await browser.signedIn(shared.server.url)
    const opened = page.context().waitForEvent('page')
    await page.getByRole('link', { name: 'Shared' }).click({ modifiers: ['ControlOrMeta'] })
    const other = await opened
    await heading(other, 'Shared').waitFor()
    expect(await pathOf(page)).toBe('/files/')
    await openAccountMenu(page)
    await page.getByRole('link', { name: 'API' }).click()
    await page.getByRole('link', { name: 'openapi.json' }).waitFor()
    await page.goBack()
    await heading(page, 'Files').waitFor()
  })

  it('work over plain HTTP to another host, where browsers do not say that they navigate', async () => {
    const port = await freePort()
    const url = `http://${foreignHost}:${port}`
    const server = await startTestServer({ port, publicUrl: url })
    onTestFinished(() => server.close())
    const page = await browser.signedIn(url, { path: '/jobs' })
    await heading(page, 'Transfers').waitFor()
    await page.reload()
    await heading(page, 'Transfers').waitFor()
  })

  it.each(layouts)('ask for the role only where two accounts fit, %s', async (_, layout) => {
    const name = `twin-${layout.viewport.width}`
    await shared.server.logIn(name, 'ops')
    const page = await (await browser.newWindow(layout)).newPage()
    await page.goto(`${shared.server.url}/jobs`)
    const enter = async () => {
      await page.getByLabel('Username').fill(name)
      await page.getByLabel('Password').fill(password)
      await page.keyboard.press('Enter')
    }
    await enter()
    await page.getByRole('button', { name: `Account menu of ops:${name}` }).waitFor()
    await heading(page, 'Transfers').waitFor()
    await openAccountMenu(page)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await shared.server.logIn(name, 'client')
    await page.getByLabel('Username').waitFor()
    expect(await page.getByRole('combobox').count()).toBe(0)
    await enter()
    const which = page.getByLabel('Which one?')
    await which.selectOption('client')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: `Account menu of client:${name}` }).waitFor()
  })

  it('are not offered for what the server has switched off', async () => {
    const server = await startTestServer({ signupRoles: [] })
    onTestFinished(() => server.close())
    const page = await (await browser.newWindow()).newPage()
    await page.goto(server.url)
    await page.getByLabel('Username').waitFor()
    expect(await page.getByText('Create account').count()).toBe(0)
  })
})
