import type http from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RouteEntry } from '../../../dist/server/routing/route-entry.js'
import { routeTable } from '../../../dist/server/routing/route-table.js'
import { Caller } from '../../helpers/calls.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer()
const password = 'correct horse'
const anyone = () => new Caller(shared.server, 'none')

/** A form as a browser posts it, from a page of `headers.Origin`. */
const post = (to: Caller, path: string, fields: Record<string, string>, headers: http.OutgoingHttpHeaders) =>
  to.call(path, {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  })

const changing = Object.entries(routeTable as Record<string, RouteEntry>)
  .filter(([key, { crossSite }]) => crossSite === 'refused' || !/^(GET|HEAD) /.test(key))
  .map(([key]) => key)

describe('a page of another origin', () => {
  test.each(changing)('cannot use %s', async (key) => {
    const [method = '', pattern = ''] = key.split(' ')
    const path = pattern.replace(/\{\w+\}/g, 'x')
    for (const headers of [
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site', Origin: shared.server.url },
    ]) {
      const answer = await anyone().call(path, { method, headers: { ...headers, 'Tus-Resumable': '1.0.0' } })
      expect(answer.status).toBe(403)
      expect(answer.body.toString()).toContain('Pages of other origins')
    }
  })

  test('cannot create or lock accounts by form posts', async () => {
    const { port } = new URL(shared.server.url)
    const pages = ['https://evil.example', 'null', `http://localhost:${port}`, `https://127.0.0.1:${Number(port) + 1}`]
    const doors = ['/ops/signup', '/client/signup', '/auth/users/', '/ops/login', '/client/login', '/token/']
    for (const [at, Origin] of [...pages, `http://127.0.0.1:${Number(port) + 1}`].entries()) {
      for (const path of doors) {
        const answer = await post(anyone(), path, { username: `forged-${at}`, password }, { Origin })
        expect([path, Origin, answer.status]).toEqual([path, Origin, 403])
      }
    }
    for (const role of ['ops', 'client']) {
      const login = await post(anyone(), `/${role}/login`, { username: 'forged-0', password }, {})
      expect(login.status).toBe(404)
    }
  })

  test('gets the error format of each dialect', async () => {
    const headers = { Origin: 'https://evil.example' }
    expect((await post(anyone(), '/token/', {}, headers)).json).toMatchObject({ detail: expect.any(String) })
    const plain = await post(anyone(), '/ops/login', {}, headers)
    expect(plain.headers['content-type']).toBe('text/plain; charset=UTF-8')
    expect((await post(anyone(), '/auth/login', {}, headers)).json).toMatchObject({ code: 'not-allowed', status: 403 })
  })

  test('can follow a link, and read no response', async () => {
    const headers = { 'Sec-Fetch-Site': 'cross-site' }
    for (const path of ['/', '/docs', '/healthz']) expect((await anyone().call(path, { headers })).status).toBe(200)
  })
})

describe('requests of the dashboard, and of programs,', () => {
  test('are accepted without Origin and Sec-Fetch-Site, or with the server’s own origin', async () => {
    const own = { Origin: shared.server.url, 'Sec-Fetch-Site': 'same-origin' }
    for (const [at, headers] of [{}, { Origin: own.Origin }, own, { 'Sec-Fetch-Site': 'none' }].entries()) {
      expect((await post(anyone(), '/ops/signup', { username: `ops-${at}`, password }, headers)).status).toBe(201)
    }
  })

  test('are accepted through a trusted proxy that forwards the host', async () => {
    const asked = { Origin: 'https://files.example', 'X-Forwarded-Host': 'files.example', 'X-Forwarded-Proto': 'https' }
    expect((await post(anyone(), '/ops/login', {}, asked)).status).toBe(403)
    expect((await post(anyone(), '/ops/login', {}, { ...asked, Host: 'files.example' })).status).toBe(403)
    // A browser vouches for its page, whatever the proxy did to Host.
    const vouched = { ...asked, 'Sec-Fetch-Site': 'same-origin' }
    expect((await post(anyone(), '/ops/login', {}, vouched)).status).toBe(400)
    const behind = await startTestServer({ trustProxy: 1 })
    onTestFinished(() => behind.close())
    const caller = new Caller(behind, 'none')
    expect((await post(caller, '/ops/login', {}, asked)).status).toBe(400)
    const named = { ...asked, 'X-Forwarded-Host': 'files.example:443' }
    expect((await post(caller, '/ops/login', {}, named)).status).toBe(400)
    expect((await post(caller, '/ops/login', {}, { ...named, Origin: 'https://files.example:444' })).status).toBe(403)
    // Any client can forge the entries to the left of the trusted proxy's own.
    const forged = { ...asked, 'X-Forwarded-Host': 'files.example, other.example' }
    expect((await post(caller, '/ops/login', {}, forged)).status).toBe(403)
  })

  test('are accepted under --public-url, but not from plain HTTP pages of that host', async () => {
    const server = await startTestServer({ publicUrl: 'https://files.example' })
    onTestFinished(() => server.close())
    const caller = new Caller(server, 'none')
    expect((await post(caller, '/ops/login', {}, { Origin: 'https://files.example' })).status).toBe(400)
    expect((await post(caller, '/ops/login', {}, { Origin: 'http://files.example' })).status).toBe(403)
  })

  test('are accepted from the origins of --cors-origin', async () => {
    const server = await startTestServer({ corsOrigin: 'https://app.example' })
    onTestFinished(() => server.close())
    const ann = new Caller(server, await server.logIn('ann'))
    const put = (headers: http.OutgoingHttpHeaders) => ann.put('file', 'text', headers).then(({ status }) => status)
    expect(await put({ Origin: 'https://app.example', 'Sec-Fetch-Site': 'cross-site' })).toBe(201)
    expect(await put({ Origin: 'https://other.example', 'Sec-Fetch-Site': 'cross-site' })).toBe(403)
    expect(await put({ Origin: 'null' })).toBe(403)
  })
})
