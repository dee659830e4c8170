import { describe, expect, it } from 'vitest'
import { chromiumPath, openAccountMenu, password, shareBrowser, signOut } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'

describe.skipIf(!chromiumPath)('the account page of the dashboard', () => {
  const shared = shareServer()
  const browser = shareBrowser()

  it('supports signup, logout and login by keyboard alone', async () => {
    const page = await (await browser.newWindow()).newPage()
    await page.goto(shared.server.url)
    const heading = page.getByRole('heading', { level: 1, name: 'Files' })
    const { keyboard } = page
    await page.locator('[name=username]:focus').waitFor()
    await keyboard.press('Shift+Tab')
    await keyboard.press('ArrowRight')
    await keyboard.press('Tab')
    await keyboard.type('ann')
    await keyboard.press('Tab')
    await keyboard.type(password)
    await keyboard.press('Enter')
    await heading.waitFor()
    await page.getByRole('button', { name: 'Account menu of user:ann' }).focus()
    await keyboard.press('Enter')
    await page.getByRole('button', { name: 'Sign out' }).focus()
    await keyboard.press('Enter')
    await page.locator('[name=username]:focus').waitFor()
    await keyboard.type('ann')
    await keyboard.press('Tab')
    await keyboard.type(password)
    await keyboard.press('Enter')
    await heading.waitFor()
  })

  it.each([
    { width: 1440, height: 900 },
    { width: 390, height: 780 },
  ])('logs nothing in the console for somebody who is not signed in ($width pixels)', async (viewport) => {
    const context = await browser.newWindow({ viewport })
    const page = await context.newPage()
    const logged: string[] = []
    page.on('console', (message) => logged.push(message.text()))
    await page.goto(`${shared.server.url}/jobs`)
    await page.getByLabel('Username').waitFor()
    // A session that has ended since: its cookie is still there.
    const name = `filejobs-${new URL(shared.server.url).port}`
    const value = await shared.server.logIn('gone')
    await new Caller(shared.server, value).post('/auth/logout')
    await context.addCookies([{ name, value, url: shared.server.url, httpOnly: true, sameSite: 'Strict' }])
    await page.reload()
    await page.getByLabel('Username').waitFor()
    expect(logged).toEqual([])
  })

  it('shows how much is stored, the quota, and what is free', async () => {
    const page = await browser.signedIn(shared.server.url, { username: 'hoarder', path: '/account' })
    await page.getByText('0 B used').waitFor()
    await (await shared.admin()).call('/accounts/user:hoarder', { method: 'PATCH', body: { quota: 4 * 1024 ** 2 } })
    const hoarder = new Caller(shared.server, await shared.server.logIn('hoarder'))
    await hoarder.put('a.bin', Buffer.alloc(1024 ** 2))
    await page.getByText('1.0 MiB of 4.0 MiB used, 3.0 MiB free').waitFor()
    expect(await page.getByRole('meter', { name: 'Space used' }).getAttribute('aria-valuenow')).toBe('25')
  })

  it('explains a rejected login', async () => {
    const page = await (await browser.newWindow()).newPage()
    await page.goto(shared.server.url)
    await page.getByLabel('Username').fill('ann')
    await page.getByLabel('Password').fill('wrong horse')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').getByText('The username or the password is wrong.').waitFor()
  })

  it('hides the token from scripts, and sends it with every request', async () => {
    const page = await browser.signedIn(shared.server.url)
    expect(await page.evaluate(() => document.cookie)).toBe('')
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain('eyJ')
    await page.reload()
    await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor()
  })

  it('lists sessions, and revokes another one', async () => {
    const page = await browser.signedIn(shared.server.url, { username: 'bob' })
    const curl = new Caller(shared.server, await shared.server.logIn('bob'))
    await openAccountMenu(page)
    await page.getByRole('link', { name: 'Account' }).click()
    await page.getByText('this one').waitFor()
    await page.getByRole('button', { name: /^Revoke the session/ }).click()
    await page.getByText('Session revoked').waitFor()
    expect((await curl.call('/auth/me')).status).toBe(401)
    await page.getByRole('button', { name: /^Revoke the session/ }).waitFor({ state: 'detached' })
  })

  it('returns to the sign-in page when its session is revoked elsewhere, and shows which jobs were stopped', async () => {
    const page = await browser.signedIn(shared.server.url, { username: 'carol' })
    const elsewhere = new Caller(shared.server, await shared.server.logIn('carol'))
    await page.route('**/tus/*', async (route) => {
      // So that the upload is under way when the session ends.
      if (route.request().method() === 'PATCH') return
      await route.continue()
    })
    const file = { name: 'under way.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(400_000) }
    await page.getByLabel('Upload files').setInputFiles(file)
    await page.getByText('Uploading 1 file').waitFor()
    await elsewhere.findJob('kind=upload')
    const { sessions } = (await elsewhere.call('/auth/sessions')).json
    const other = sessions.find((session: { current: boolean }) => !session.current)
    expect((await elsewhere.call(`/auth/sessions/${other.id}`, { method: 'DELETE' })).status).toBe(204)
    const note = page.getByRole('alert').filter({ hasText: 'Your session has ended' })
    await note.getByText('Its transfers were stopped').waitFor()
    await note.getByText('under way.bin').waitFor()
    await page.getByLabel('Username').waitFor()
  })

  it('signs all tabs out together', async () => {
    const page = await browser.signedIn(shared.server.url)
    const other = await page.context().newPage()
    await other.goto(shared.server.url)
    await other.getByRole('heading', { level: 1, name: 'Files' }).waitFor()
    await signOut(page)
    await other.getByLabel('Username').waitFor()
  })

  it('is served with a Content-Security-Policy that blocks inline code and other origins', async () => {
    const answer = await fetch(shared.server.url)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/^default-src 'none'; script-src '(nonce-[\w+/]{24})'; style-src '\1';/)
    const again = (await fetch(shared.server.url)).headers.get('content-security-policy')
    expect(again).not.toBe(policy)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    const html = await answer.text()
    expect(html).not.toMatch(/<style|<script(?![^>]*src=)|style="/)
    const names = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name!)
    for (const name of names) expect(name).toMatch(/^\/[^/]/)
    const assets = names.filter((name) => name.startsWith('/assets/'))
    expect(assets.length).toBeGreaterThan(1)
    for (const name of assets) {
      const asset = await fetch(shared.server.url + name, { headers: { 'Accept-Encoding': 'br' } })
      expect(asset.headers.get('content-encoding')).toBe('br')
      expect(asset.headers.get('cache-control')).toContain('immutable')
    }
  })
})
