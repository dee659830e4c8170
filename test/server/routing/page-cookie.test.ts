import { describe, expect, it } from 'vitest'
import { type Answer, Caller, type CallOptions } from '../../helpers/calls.js'
import { shareServer } from '../../helpers/shared-server.js'

const shared = shareServer()
const credentials = { username: 'ann', password: 'correct horse' }

/** A browser's page of the server: its requests bear the cookie that it was given. */
async function openPage(url = shared.server.url, host = new URL(url).host) {
  const caller = new Caller({ url }, 'none')
  let cookie = ''
  const call = async (path: string, options: CallOptions = {}): Promise<Answer> => {
    // Any scheme but Bearer bears no token of ours.
    const headers = { Host: host, Authorization: 'none', ...(cookie && { Cookie: cookie }), ...options.headers }
    const answer = await caller.call(path, { ...options, headers })
    const [given] = answer.headers['set-cookie'] ?? []
    if (given) cookie = given.split(';')[0]!
    return answer
  }
  const own = { 'Filejobs-Csrf': '1', Origin: `http://${host}` }
  return {
    call,
    own,
    get cookie() {
      return cookie
    },
    signIn: (body: object = { ...credentials, signup: true }) =>
      call('/auth/cookie', { method: 'POST', body, headers: own }),
  }
}

describe('POST /auth/cookie', () => {
  it('sets the token as an HttpOnly cookie, and does not return it', async () => {
    const page = await openPage()
    const answer = await page.signIn()
    expect(answer).toMatchObject({
      status: 201,
      json: { message: 'Signed up as user:ann.', username: 'ann', role: 'user' },
    })
    expect(answer.json).not.toHaveProperty('token')
    const { port } = new URL(shared.server.url)
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(`^filejobs-${port}=[\\w.-]+; Path=/; Max-Age=315\\d{5}; HttpOnly; SameSite=Strict$`),
      ),
    ])
    expect((await page.call('/auth/me')).json).toMatchObject({ account: 'user:ann' })
    expect((await page.call('/files')).status).toBe(200)
  })

  it('is rejected without the header, or from another origin', async () => {
    const page = await openPage()
    for (const headers of [
      {},
      { 'Filejobs-Csrf': '1' },
      { Origin: page.own.Origin },
      { 'Filejobs-Csrf': '1', Origin: 'null' },
      { 'Filejobs-Csrf': '1', Origin: 'http://127.0.0.1:1' },
      { 'Filejobs-Csrf': '1', Origin: 'https://example.org' },
    ]) {
      const answer = await page.call('/auth/cookie', { method: 'POST', body: credentials, headers })
      expect(answer).toMatchObject({ status: 403, json: { code: 'not-allowed' } })
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
  })

  it('has the same checks as a login and a signup', async () => {
    const page = await openPage()
    await page.signIn()
    expect(await page.signIn(credentials)).toMatchObject({ status: 200 })
    expect(await page.signIn({ ...credentials, password: 'wrong horse' })).toMatchObject({ status: 401 })
    expect(await page.signIn({ username: 'x', password: 'short', signup: true })).toMatchObject({
      status: 400,
      json: { field: 'password' },
    })
  })
})

describe("the dashboard's cookie", () => {
  it('authorizes changes only with the header and from the same origin', async () => {
    const page = await openPage()
    await page.signIn()
    const put = (headers: object) => page.call('/files/a', { method: 'PUT', body: 'text', headers: { ...headers } })
    expect(await put(page.own)).toMatchObject({ status: 201 })
    expect(await put({ Origin: page.own.Origin })).toMatchObject({ status: 403, json: { code: 'not-allowed' } })
    expect(await put({ 'Filejobs-Csrf': '1' })).toMatchObject({ status: 403 })
    expect(await put({ 'Filejobs-Csrf': '1', Origin: 'https://example.org' })).toMatchObject({ status: 403 })
    const overridden = { 'X-HTTP-Method-Override': 'DELETE', 'Tus-Resumable': '1.0.0' }
    expect(await page.call('/tus/0', { headers: overridden })).toMatchObject({ status: 403 })
  })

  it('is not accepted from a page of another program on this machine, or of another site', async () => {
    const page = await openPage()
    await page.signIn()
    for (const site of ['same-site', 'cross-site']) {
      expect((await page.call('/files', { headers: { 'Sec-Fetch-Site': site } })).status).toBe(403)
    }
    for (const site of ['same-origin', 'none']) {
      expect((await page.call('/files', { headers: { 'Sec-Fetch-Site': site } })).status).toBe(200)
    }
  })

  it('is ignored if a header has a token, which requires nothing else', async () => {
    const page = await openPage()
    await page.signIn()
    const bob = await shared.newCaller()
    const headers = { Cookie: page.cookie }
    expect((await bob.call('/files/b', { method: 'PUT', body: 'text', headers })).status).toBe(201)
    expect((await bob.call('/auth/me', { headers })).json.username).not.toBe('ann')
  })

  it('is cleared by a logout', async () => {
    const page = await openPage()
    await page.signIn()
    const stale = page.cookie
    const answer = await page.call('/auth/logout', { method: 'POST', headers: page.own })
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^filejobs-\d+=; Path=\/; Max-Age=0; HttpOnly/),
    ])
    expect((await page.call('/auth/me', { headers: { Cookie: stale } })).status).toBe(401)
  })
})

describe("the dashboard's cookie behind TLS", () => {
  const secured = shareServer({ publicUrl: 'https://files.example.org' })

  it('is bound to the host and sent over HTTPS only', async () => {
    const page = await openPage(secured.server.url, 'files.example.org')
    const body = { ...credentials, signup: true }
    const headers = { 'Filejobs-Csrf': '1', Origin: 'https://files.example.org' }
    const plain = { ...headers, Origin: 'http://files.example.org' }
    expect((await page.call('/auth/cookie', { method: 'POST', body, headers: plain })).status).toBe(403)
    const answer = await page.call('/auth/cookie', { method: 'POST', body, headers })
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^__Host-filejobs=[\w.-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/),
    ])
    expect((await page.call('/auth/me')).status).toBe(200)
  })
})
