import http, { type OutgoingHttpHeaders } from 'node:http'
import { describe, expect, it } from 'vitest'
import { answerOf, Caller } from '../../helpers/calls.js'
import { shareServer } from '../../helpers/shared-server.js'

const navigation = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }
/** What a browser sends over plain HTTP to another host. */
const html = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8' }
const choice = ['Accept', 'Auth_Token', 'Authorization', 'Sec-Fetch-Dest', 'Sec-Fetch-Mode']

describe('the address of a view', () => {
  const shared = shareServer()
  /** A request as a browser sends it: `fetch` of Node adds a mode of its own. */
  const open = async (path: string, headers: OutgoingHttpHeaders, method = 'GET') => {
    const request = http.request(shared.server.url + path, { method, headers })
    request.end()
    const { status, headers: sent, body } = await answerOf(request)
    return { isPage: (sent['content-type'] ?? '').startsWith('text/html'), status, headers: sent, text: String(body) }
  }

  it.each([
    '/',
    '/files',
    '/files/',
    '/files/photos/',
    '/files/a%20b/%C3%A9t%C3%A9/',
    '/jobs',
    '/jobs/1234',
    '/tables',
  ])('%s gives the page to a browser that opens it', async (path) => {
    for (const headers of [navigation, html]) {
      const { isPage, status, headers: sent, text } = await open(path, headers)
      expect({ isPage, status }).toEqual({ isPage: true, status: 200 })
      expect(text).toContain('<div id="app">')
      expect(sent['cache-control']).toBe('no-cache')
      expect(sent['content-security-policy']).toContain("default-src 'none'")
    }
  })

  it.each(['/tables/sales?sort=-size', '/published/depot/', '/published/depot/reports/', '/published', '/shared'])(
    '%s gives it, too',
    async (path) => expect((await open(path, navigation)).isPage).toBe(true),
  )

  it.each(['/account', '/admin/accounts', '/admin/jobs', '/admin/jobs/an-id', '/admin/server'])(
    '%s has nothing but the page',
    async (path) => expect((await open(path, {})).isPage).toBe(true),
  )

  it('gives programs, and the page itself, what they got before', async () => {
    const ann = await shared.newCaller()
    await ann.put('photos/cat.jpg', 'cat')
    for (const headers of [
      {},
      { Accept: '*/*' },
      { Accept: 'application/json' },
      { Accept: 'application/json, text/html' },
    ]) {
      expect((await open('/files/', headers)).status).toBe(401)
      expect((await ann.call('/files/', { headers })).json.files).toHaveLength(1)
    }
    const ofPage = { ...html, 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }
    expect((await open('/jobs', ofPage)).status).toBe(401)
    const frame = { ...html, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' }
    expect((await open('/jobs', frame)).status).toBe(401)
    // A program that sends a token is none that opens a window.
    for (const path of ['/files/', '/jobs', '/tables']) {
      expect((await ann.call(path, { headers: { ...navigation, ...html } })).headers['content-type']).toContain('json')
    }
  })

  it('names in Vary what the choice depends on, and nothing where there is none', async () => {
    const ann = await shared.newCaller()
    await ann.put('a.txt', 'text')
    for (const path of ['/files/', '/jobs', '/tables', '/tables/sales']) {
      const vary = (await ann.call(path)).headers.vary?.split(', ') ?? []
      expect(vary.filter((name) => name !== 'Accept-Encoding').sort(), path).toEqual(choice)
      const { headers } = await open(path, navigation)
      expect(headers.vary?.split(', ').sort(), path).toEqual(choice)
    }
    expect((await ann.call('/files/a.txt')).headers.vary).toBeUndefined()
  })

  it('of a file always gives the file', async () => {
    const ann = await shared.newCaller()
    await ann.put('photos/cat.html', '<h1>cat</h1>')
    const { status, isPage } = await open('/files/photos/cat.html', navigation)
    expect({ status, isPage }).toEqual({ status: 401, isPage: false })
    const nobody = new Caller(shared.server, '')
    const answer = await nobody.call('/auth/cookie', {
      method: 'POST',
      headers: { Origin: shared.server.url, 'Filejobs-Csrf': '1' },
      body: { username: 'cookie-owner', password: 'correct horse', signup: true },
    })
    const Cookie = String(answer.headers['set-cookie']).split(';')[0]!
    const put = { method: 'PUT', headers: { Cookie, Origin: shared.server.url, 'Filejobs-Csrf': '1' }, body: 'cat' }
    expect((await fetch(`${shared.server.url}/files/photos/cat.txt`, put)).status).toBe(201)
    expect((await open('/files/photos/cat.txt', { ...navigation, ...html, Cookie })).text).toBe('cat')
    const archive = await open('/files/photos/?archive=tar', { ...navigation, ...html, Cookie })
    expect(archive.headers['content-type']).toContain('tar')
  })

  it('is a page by GET and HEAD only', async () => {
    expect((await open('/files/photos/', html, 'PUT')).status).toBe(401)
    expect(await open('/files/', html, 'HEAD')).toMatchObject({ isPage: true, status: 200 })
  })
})
