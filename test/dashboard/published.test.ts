import { describe, expect, it } from 'vitest'
import { choose, chromiumPath, contentOf, rowOf, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'

describe.skipIf(!chromiumPath)('the page of published files of a client', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let accounts = 0

  /** The page of a new client, and an ops account that publishes these files. */
  async function openWith(names: string[], path = '/') {
    const ops = `Depot-${++accounts}`
    const publisher = new Caller(shared.server, await shared.server.logIn(ops, 'ops'))
    for (const name of names) await publisher.put(encodeURIComponent(name), `content of ${name}`)
    const page = await browser.signedIn(shared.server.url, { role: 'client', path: path.replace('OPS', ops) })
    return { ops, publisher, page, row: (name: string) => rowOf(page, name) }
  }

  it('asks for an account name by keyboard alone, and shows its files read-only', async () => {
    const { ops, page, row } = await openWith(['folder/report.txt', 'sales.csv'])
    await page.getByText('Who publishes').waitFor()
    await page.getByLabel('Ops account').focus()
    await page.keyboard.type(`ops:${ops.toLowerCase()}/`)
    await page.keyboard.press('Enter')
    await row('folder/').waitFor()
    const published = page.getByRole('region', { name: `Published by ${ops.toLowerCase()}` })
    await published.getByRole('button', { name: 'Actions for sales.csv' }).click()
    expect(await published.locator('.menu-item').allInnerTexts()).toEqual(['Download'])
    expect(await page.locator('input[type=file]').count()).toBe(0)
    const views = await page.getByRole('navigation', { name: 'Views' }).getByRole('link').allInnerTexts()
    expect(views.map((text) => text.trim())).toEqual(['Files', 'Transfers'])
  })

  it('lists the ops accounts, so that nobody has to know a name', async () => {
    const { ops, publisher, page, row } = await openWith(['report.txt'])
    expect(ops).toMatch(/^Depot-/)
    await page.getByRole('list', { name: 'Who publishes' }).getByRole('link', { name: ops, exact: true }).click()
    await row('report.txt').waitFor()
    const notice = await browser.signedIn(publisher.url, { username: ops, role: 'ops', path: '/account' })
    await notice.getByText('every client account of this server can list and download all its files').waitFor()
  })

  it('downloads a whole file under its own name, as a job of the client', async () => {
    const { ops, page, row } = await openWith(['folder/été & co.txt'], '/published/OPS/')
    await row('folder/').getByRole('link').click()
    await page.getByRole('navigation', { name: 'Folders above' }).getByRole('link', { name: ops }).waitFor()
    const coming = page.waitForEvent('download')
    await choose(page, 'folder/été & co.txt', 'Download')
    const download = await coming
    expect(download.suggestedFilename()).toBe('été & co.txt')
    expect((await contentOf(download)).toString()).toBe('content of folder/été & co.txt')
    await page.getByRole('link', { name: /^Transfers/ }).click()
    await page.getByRole('article', { name: new RegExp(`ops:${ops}/folder/été`) }).waitFor()
  })

  it('searches, and reloads on request', async () => {
    const { publisher, page, row } = await openWith(['alpha.txt', 'folder/Beta.txt'], '/published/OPS/')
    await row('alpha.txt').waitFor()
    await page.getByLabel('Search files').fill('BET')
    await row('alpha.txt').waitFor({ state: 'detached' })
    await row('folder/Beta.txt').waitFor()
    await page.getByLabel('Search files').fill('nothing like it')
    await page.getByText('No file fits').waitFor()
    await page.getByLabel('Search files').fill('')
    await row('folder/').waitFor()
    await publisher.put('file-61', 'new')
    await page.getByRole('button', { name: 'Refresh' }).click()
    await row('file-61').getByText('3 B').waitFor()
  })

  it('remembers the names opened before, and forgets a name that no longer exists', async () => {
    const { ops, page, row } = await openWith(['a.txt'], '/published/OPS/')
    await row('a.txt').waitFor()
    const known = page.getByRole('navigation', { name: 'Opened before' })
    await known.getByRole('link', { name: ops }).waitFor()
    await page.goto(`${shared.server.url}/files/`)
    await page.reload()
    await known.getByRole('link', { name: ops }).click()
    await row('a.txt').waitFor()
    const admin = await shared.admin()
    await admin.call(`/accounts/ops:${ops}`, { method: 'PATCH', body: { disabled: true } })
    await page.reload()
    await page.getByText('No such ops account').waitFor()
    await known.waitFor({ state: 'detached' })
  })

  it('distinguishes no files, no such account, and no response', async () => {
    const { ops, page, row } = await openWith([], '/published/OPS/')
    await page.getByText(`${ops} publishes no files at the moment.`).waitFor()
    await page.goto(`${shared.server.url}/published/a b/`)
    await page.getByText('There is no ops account “a b”').waitFor()
    const name = page.getByLabel('Ops account')
    await name.fill('a/b')
    await name.press('Enter')
    await page.getByText('“a/b” cannot be the name of an account.').waitFor()
    await page.route('**/published/**', (route) => route.abort())
    const other = await openOther('other-ops')
    await name.fill('other-ops')
    await name.press('Enter')
    await page.getByRole('alert').getByText('The server does not answer.').waitFor()
    await page.unroute('**/published/**')
    await other.put('there.txt', 'text')
    await page.getByRole('button', { name: 'Try again' }).click()
    await row('there.txt').waitFor()
  })

  it('shows other roles their own files at the same address', async () => {
    const page = await browser.signedIn(shared.server.url, { path: '/published/depot/' })
    await page.getByText('No files yet').waitFor()
    expect(await page.getByLabel('Ops account').count()).toBe(0)
  })

  async function openOther(ops: string) {
    return new Caller(shared.server, await shared.server.logIn(ops, 'ops'))
  }
})
