import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { choose, chromiumPath, contentOf, password, rowOf, shareBrowser, signOut } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { eventually } from '../helpers/eventually.js'
import { shareServer } from '../helpers/shared-server.js'
import { isCluster } from '../run/is-cluster.js'

describe.skipIf(!chromiumPath)('the file list of the dashboard', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  /** A page of an account that has these files already. */
  async function openWith(names: string[], prepare?: (page: Page) => Promise<void>) {
    const username = `reader-${++people}`
    const page = await browser.signedIn(shared.server.url, { username, ...(prepare ? { prepare } : {}) })
    const curl = new Caller(shared.server, await shared.server.logIn(username))
    if (names.length > 10) await sendForm(curl, names)
    else for (const name of names) await curl.put(encodeURIComponent(name), `content of ${name}`)
    return { page, curl, row: (name: string) => rowOf(page, name) }
  }

  /** Another account, without an open page. */
  async function nextReader() {
    const username = `reader-${++people}`
    return { username, caller: new Caller(shared.server, await shared.server.logIn(username)) }
  }

  it('tells an account without files how to start', async () => {
    const { page } = await openWith([])
    await page.getByText('No files yet').waitFor()
    await page.getByText('Drop files or folders anywhere').waitFor()
  })

  it('shows changes by other clients without a reload', async () => {
    const { page, curl, row } = await openWith([])
    await page.getByText('No files yet').waitFor()
    await curl.put('from-curl.txt', 'text')
    await row('from-curl.txt').getByText('4 B').waitFor()
  })

  it('searches inside names, ignoring case', async () => {
    const { page, row } = await openWith(['alpha.txt', 'folder/Beta.txt', 'gamma.txt'])
    await row('folder/').waitFor()
    await page.getByLabel('Search files').fill('BET')
    await row('gamma.txt').waitFor({ state: 'detached' })
    await row('folder/Beta.txt').waitFor()
    await page.getByLabel('Search files').fill('nothing like it')
    await page.getByText('No file fits').waitFor()
  })

  it('keeps its rows until the next ones have loaded, and stays correct while the last file is being deleted', async () => {
    const { page, row } = await openWith(['alpha.txt', 'beta.txt'])
    for (const name of ['alpha.txt', 'beta.txt']) await row(name).waitFor()
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/files?*search=*', async (route) => {
      await held
      await route.continue()
    })
    const asked = page.waitForRequest('**/files?*search=*')
    await page.getByLabel('Search files').fill('bet')
    await asked
    expect(await row('beta.txt').count()).toBe(1)
    release()
    await row('alpha.txt').waitFor({ state: 'detached' })
    // Is not answered, so that it stays so.
    await page.route('**/files/beta.txt*', () => {})
    await choose(page, 'beta.txt', 'Delete')
    await page.getByText('is being deleted').waitFor()
    expect(await page.getByText('No file fits').count()).toBe(0)
  })

  it('renders only the files in sight of a thousand, and loads the others as they come into sight', async () => {
    const names = Array.from({ length: 1200 }, (_, index) => `file-${index}`)
    const { page, row } = await openWith(names)
    await page.getByText('1,200 files').waitFor()
    await row('file-2').waitFor()
    expect(await row('file-600').count()).toBe(0)
    expect(await page.locator('.entry-row').count()).toBeLessThan(80)
    await page.keyboard.press('End')
    await row('file-1199').waitFor()
    expect(await row('file-2').count()).toBe(0)
    await page.keyboard.press('Home')
    await row('file-2').waitFor()
  })

  it('downloads a whole file under its own name', async () => {
    const { page, row } = await openWith(['folder/été & co.txt'])
    await row('folder/').getByRole('link').click()
    const coming = page.waitForEvent('download')
    await choose(page, 'folder/été & co.txt', 'Download')
    const download = await coming
    expect(download.suggestedFilename()).toBe('été & co.txt')
    expect((await contentOf(download)).toString()).toBe('content of folder/été & co.txt')
  })

  it('renames a file, and explains a rejected rename', async () => {
    const { page, curl, row } = await openWith(['old.txt', 'taken.txt'])
    await choose(page, 'old.txt', 'Rename …')
    await page.getByLabel('New name').fill('taken.txt')
    await page.getByRole('button', { name: 'Rename', exact: true }).click()
    await page.getByRole('dialog').getByText('"taken.txt" exists already.').waitFor()
    await page.getByLabel('New name').fill('folder/new.txt')
    await page.keyboard.press('Enter')
    await row('folder/').waitFor()
    expect(await curl.names()).toEqual(['folder/new.txt', 'taken.txt'])
  })

  it('deletes a file after ten seconds unless the deletion is undone', async () => {
    const { page, curl, row } = await openWith(['going.txt', 'staying.txt'], (page) => page.clock.install())
    await row('staying.txt').waitFor()
    await choose(page, 'staying.txt', 'Delete')
    await row('staying.txt').waitFor({ state: 'detached' })
    await page.clock.fastForward(5000)
    await page.getByRole('button', { name: 'Undo' }).click()
    await row('staying.txt').waitFor()
    await choose(page, 'going.txt', 'Delete')
    await row('going.txt').waitFor({ state: 'detached' })
    expect(await curl.names()).toEqual(['going.txt', 'staying.txt'])
    await page.clock.fastForward(10_000)
    await expect.poll(() => curl.names()).toEqual(['staying.txt'])
  })

  it('completes pending deletions before the page is closed', async () => {
    const { page, curl, row } = await openWith(['going.txt'])
    await choose(page, 'going.txt', 'Delete')
    await row('going.txt').waitFor({ state: 'detached' })
    await page.goto('about:blank')
    await expect.poll(() => curl.names()).toEqual([])
  })

  it('moves the focus to Undo, and from there back to the row or to the row that replaced it', async () => {
    const { page, curl, row } = await openWith(['a.txt', 'b.txt'], (page) => page.clock.install())
    await row('b.txt').waitFor()
    await stopClock(page)
    const focusedRow = () => page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.file)
    await row('a.txt').getByRole('button', { name: 'Actions for a.txt' }).focus()
    await page.keyboard.press('Enter')
    while ((await focused(page)) !== 'Delete') await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await expect.poll(() => focused(page)).toBe('Undo')
    await page.keyboard.press('Enter')
    await expect.poll(focusedRow).toBe('a.txt')
    await page.keyboard.press('Delete')
    await expect.poll(() => focused(page)).toBe('Undo')
    await page.clock.fastForward(10_000)
    await expect.poll(focusedRow).toBe('b.txt')
    await expect.poll(() => curl.names()).toEqual(['b.txt'])
  })

  it('has an Undo for each of several deletions', async () => {
    const names = ['1.txt', '2.txt', '3.txt', '4.txt', '5.txt', '6.txt']
    const { page, row } = await openWith(names, (page) => page.clock.install())
    await row('6.txt').waitFor()
    await stopClock(page)
    for (const name of names) {
      await choose(page, name, 'Delete')
    }
    const undo = page.getByRole('button', { name: 'Undo' })
    await expect.poll(() => undo.count()).toBe(6)
    for (const name of names) {
      await undo.first().click()
      await row(name).waitFor()
    }
  })

  it('keeps a newer version uploaded under the name of a file pending deletion', async () => {
    const { page, curl, row } = await openWith(['report.txt', 'other.txt'], (page) => page.clock.install())
    const byHand = join(shared.server.dataFolder, 'uploads/user', `reader-${people}`, 'by hand.txt')
    const change = (content: string) => (isCluster ? curl.put('by%20hand.txt', content) : writeFile(byHand, content))
    await change('old')
    await page.reload()
    await choose(page, 'report.txt', 'Delete')
    const goOn = await holdDeletes(page)
    const asked = page.waitForResponse((answer) => answer.request().method() === 'HEAD')
    await choose(page, 'by hand.txt', 'Delete')
    await asked
    await change('another')
    await curl.call('/files/report.txt', { method: 'DELETE' })
    expect((await curl.post('/files/other.txt/move', { to: 'report.txt' })).status).toBe(204)
    goOn()
    await page.clock.fastForward(10_000)
    const notes = page.getByRole('region', { name: 'Messages' })
    await notes.getByText('Not deleted: report.txt').waitFor()
    await notes.getByText('Not deleted: by hand.txt').waitFor()
    await row('report.txt').waitFor()
    await row('by hand.txt').getByText('7 B').waitFor()
    expect((await curl.call('/files/report.txt')).body.toString()).toBe('content of other.txt')
    expect((await curl.call('/files/by%20hand.txt')).body.toString()).toBe('another')
  })

  it('keeps a file uploaded again under the name of a file pending deletion, even with the same bytes', async () => {
    const { page, curl, row } = await openWith(['here.txt', 'elsewhere.txt'], (page) => page.clock.install())
    const bytes = (name: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(`content of ${name}`) })
    await choose(page, 'here.txt', 'Delete')
    await choose(page, 'elsewhere.txt', 'Delete')
    await row('elsewhere.txt').waitFor({ state: 'detached' })
    await page.getByLabel('Upload files').setInputFiles(bytes('here.txt'))
    await page.getByText('Uploaded here.txt').waitFor()
    const { name, buffer } = bytes('elsewhere.txt')
    await curl.put(name, buffer)
    await page.getByRole('button', { name: 'Undo' }).waitFor({ state: 'detached' })
    await page.clock.fastForward(10_000)
    await row('here.txt').waitFor()
    await row('elsewhere.txt').waitFor()
    await page.goto('about:blank')
    expect(await curl.names()).toEqual(['elsewhere.txt', 'here.txt'])
  })

  it('completes pending deletions before logout, and never as the next account', async () => {
    const { page, curl, row } = await openWith(['report.txt'], (page) => page.clock.install())
    const { username, caller: next } = await nextReader()
    await next.put('report.txt', 'content of report.txt')
    await choose(page, 'report.txt', 'Delete')
    await signOut(page)
    await signIn(page, username)
    await row('report.txt').waitFor()
    expect(await curl.names()).toEqual([])
    expect(await page.getByRole('button', { name: 'Undo' }).count()).toBe(0)
    await page.clock.fastForward(10_000)
    await page.goto('about:blank')
    expect(await next.names()).toEqual(['report.txt'])
  })

  it('reports deletions that failed because the session ended, and deletes no file of the next account', async () => {
    const { page, curl, row } = await openWith(['report.txt'], (page) => page.clock.install())
    const { username, caller: next } = await nextReader()
    await next.put('report.txt', 'content of report.txt')
    const goOn = await holdDeletes(page)
    await choose(page, 'report.txt', 'Delete')
    await page.getByRole('button', { name: 'Undo' }).waitFor()
    const said = page.getByText('Not deleted: report.txt').waitFor()
    const { sessions } = (await curl.call('/auth/sessions')).json
    const other = sessions.find((session: { current: boolean }) => !session.current)
    expect((await curl.call(`/auth/sessions/${other.id}`, { method: 'DELETE' })).status).toBe(204)
    goOn()
    await page.getByText('Your session has ended').waitFor()
    await signIn(page, username)
    await row('report.txt').waitFor()
    await said
    await page.clock.fastForward(10_000)
    await page.goto('about:blank')
    expect([await curl.names(), await next.names()]).toEqual([['report.txt'], ['report.txt']])
  })

  it('shows any file name as text', async () => {
    const names = [
      '<img src=x onerror=alert(1)>.txt',
      'cod\u202Exslx.exe',
      'family 👩‍👩‍👧.jpg',
      'سجل <b>.txt',
      '"><script>.txt',
    ]
    const { page, row } = await openWith(names)
    let dialogs = 0
    page.on('dialog', (dialog) => {
      dialogs++
      void dialog.dismiss()
    })
    await row(names[0]!).getByText('<img src=x onerror=alert(1)>.txt').waitFor()
    await row(names[1]!).getByText('codU+202Exslx.exe').waitFor()
    await row(names[2]!).getByText('family 👩‍👩‍👧.jpg').waitFor()
    await row(names[3]!).getByText('سجل <b>.txt').waitFor()
    await page.getByText('"><script>.txt').waitFor()
    expect(await page.locator('.entries img, .entries b, .entries script').count()).toBe(0)
    await choose(page, names[0]!, 'Rename …')
    expect(await page.getByLabel('New name').inputValue()).toBe(names[0])
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: /^Transfers/ }).click()
    await page.getByRole('article').getByText('<img src=x onerror=alert(1)>.txt').first().waitFor()
    expect(dialogs).toBe(0)
  })

  it('creates a link that works without an account, lists it and revokes it', async () => {
    const { page } = await openWith(['shared.txt'])
    await choose(page, 'shared.txt', 'Share …')
    await page.getByLabel('Works for').selectOption('1 week')
    await page.getByRole('button', { name: 'Make a link' }).click()
    const url = await page.getByLabel('The link').inputValue()
    expect(await (await fetch(url)).text()).toBe('content of shared.txt')
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Shared', exact: true }).click()
    await page.getByText(/^Works until /).waitFor()
    expect(await page.getByLabel('Link to shared.txt', { exact: true }).inputValue()).toBe(url)
    await page.getByRole('button', { name: 'Revoke the link to shared.txt' }).click()
    await page.getByRole('button', { name: 'Revoke', exact: true }).click()
    await page.getByText('No links').waitFor()
    expect((await fetch(url)).status).toBe(404)
  })

  it('creates a link with a password, a number of downloads, a note and a last day, and shows its use and its end', async () => {
    const { page, curl } = await openWith(['shared.txt'])
    await choose(page, 'shared.txt', 'Share …')
    const day = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10)
    const fields = { 'Last day': day, 'Downloads allowed': '1', Note: 'For <you>', Password: 'short' }
    await page.getByLabel('Works for').selectOption('until a date')
    for (const [label, value] of Object.entries(fields)) await page.getByLabel(label).fill(value)
    await page.getByRole('button', { name: 'Make a link' }).click()
    await page.getByRole('alert').getByText('password must have 8 to 72 bytes').waitFor()
    await page.getByLabel('Password').fill('the password')
    await page.getByRole('button', { name: 'Make a link' }).click()
    await page.getByText('Send the password another way').waitFor()
    const url = await page.getByLabel('The link').inputValue()
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Shared', exact: true }).click()
    await page.getByText(/^Works until /).waitFor()
    await page.getByText('opened 0 times · 0 of 1 download · with a password').waitFor()
    await page.getByText('For <you>').waitFor()
    const headers = { Authorization: `Basic ${btoa(':the password')}` }
    expect(await (await fetch(url, { headers })).text()).toBe('content of shared.txt')
    await eventually('it is used up', async () => (await fetch(url, { headers })).status === 410)
    await page.reload()
    await page.getByText('Used up: all its downloads were made').waitFor()
    await page.getByText('1 of 1 download').waitFor()
    const { expiresAt } = (await curl.call('/shares')).json.shares[0]
    expect(new Date(Date.parse(expiresAt) - 1).toLocaleDateString('sv')).toBe(day)
  })
})

/** Stops the clock of the page, so that a slow machine does not matter. */
function stopClock(page: Page): Promise<void> {
  return page.clock.pauseAt(Date.now() + 60_000)
}

/** The accessible name of the focused element. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.ariaLabel ?? document.activeElement?.textContent ?? '')
}

/** Delays removals whose time is over until the returned function is called. */
async function holdDeletes(page: Page): Promise<() => void> {
  let goOn = () => {}
  const held = new Promise<void>((resolve) => {
    goOn = resolve
  })
  await page.route('**/files/*', async (route) => {
    if (route.request().method() === 'DELETE') await held
    await route.continue()
  })
  return goOn
}

async function signIn(page: Page, username: string): Promise<void> {
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** The server takes some hundred files in a form. */
const filesInForm = 400

/** Uploads many small files by few requests. */
async function sendForm({ url, token }: Caller, names: string[]): Promise<void> {
  for (let at = 0; at < names.length; at += filesInForm) {
    const body = new FormData()
    for (const name of names.slice(at, at + filesInForm)) body.append('file', new File([`content of ${name}`], name))
    const answer = await fetch(`${url}/upload`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body })
    expect(answer.status).toBe(201)
  }
}
