import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { chromiumPath, shareBrowser } from '../helpers/browser.js'
import { shareServer } from '../helpers/shared-server.js'

const password = 'correct horse'

describe.skipIf(!chromiumPath)('a page of another origin, in a browser,', () => {
  const shared = shareServer()
  const browser = shareBrowser()

  it('cannot create an account by a form or lock one out', async () => {
    const { url } = shared.server
    const forms = ['/ops/signup', '/auth/users/', '/token/', '/ops/login'].map(
      (path) =>
        `<form method="post" action="${url + path}" target="of-${path}"><input name="username" value="victim">` +
        `<input name="password" value="wrong horse"></form><iframe name="of-${path}"></iframe>`,
    )
    const evil = http.createServer((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<!doctype html>${forms.join('')}`)
    })
    await once(evil.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => {
      evil.close()
      evil.closeAllConnections()
    })
    const context = await browser.newWindow()
    const page = await context.newPage()
    await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`)
    const statuses: number[] = []
    for (const [at] of forms.entries()) {
      const answered = page.waitForResponse((response) => response.url().startsWith(url))
      await page.evaluate((index) => document.forms[index]!.submit(), at)
      statuses.push((await answered).status())
    }
    expect(statuses).toEqual(forms.map(() => 403))
    const body = new URLSearchParams({ username: 'victim', password })
    expect((await fetch(`${url}/ops/signup`, { method: 'POST', body })).status).toBe(201)
    expect((await fetch(`${url}/ops/login`, { method: 'POST', body })).status).toBe(200)
  })
})
