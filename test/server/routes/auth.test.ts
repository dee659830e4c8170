import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { fastClock } from '../../helpers/fast-clock.js'
import { startTestServer, type TestServer } from '../../helpers/server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { isCluster } from '../../run/is-cluster.js'

const password = 'correct horse'
let server: TestServer

/** After wrong passwords, the server delays logins by seconds. */
const waitsAreShorter = 10

beforeAll(async () => {
  server = await startTestServer({}, fastClock(waitsAreShorter))
})

afterAll(() => server.close())

describe('POST /auth/signup', () => {
  it('answers 201 with a token for a new account, and 200 if repeated', async () => {
    const body = { username: 'new', password, name: 'New', email: 'new@example.org' }
    const first = await post('/auth/signup', body)
    expect(first.status).toBe(201)
    const login = await first.json()
    expect(login).toEqual({
      message: 'Signed up as user:new.',
      username: 'new',
      role: 'user',
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      expiresAt: expect.any(String),
    })
    expect(Date.parse(login.expiresAt)).toBeGreaterThan(Date.now() + 364 * 86_400_000)
    const again = await post('/auth/signup/', { username: 'New', password })
    expect(again.status).toBe(200)
    expect(await again.json()).toMatchObject({ username: 'new', role: 'user' })
    expect(await (await get('/auth/me', login.token)).json()).toMatchObject({ name: 'New', email: 'new@example.org' })
  })

  it('uses the email if the username is missing', async () => {
    const answer = await post('/auth/signup', { email: 'mail@example.org', password })
    expect(answer.status).toBe(201)
    expect(await answer.json()).toMatchObject({ username: 'mail@example.org' })
    expect((await post('/auth/login', { email: 'mail@example.org', password })).status).toBe(200)
    const bad = await post('/auth/signup', { email: '"a b"@example.org', password })
    expect(await problemOf(bad)).toMatchObject({ status: 400, code: 'invalid-request', field: 'email' })
  })

  it('answers 409 to an existing name with another password', async () => {
    await post('/auth/signup', { username: 'taken', password })
    const answer = await post('/auth/signup', { username: 'taken', password: 'another horse' })
    expect(await problemOf(answer)).toMatchObject({ status: 409, code: 'username-taken' })
  })

  it('answers 403 to the role admin', async () => {
    const answer = await post('/auth/signup', { username: 'admin', password: 'admin-password', role: 'admin' })
    expect(await problemOf(answer)).toMatchObject({ status: 403, code: 'not-allowed' })
  })

  it.each([
    [{ username: 'x' }, 'password'],
    [{ username: 'x', password: 'short' }, 'password'],
    [{ username: 'x', password: 'ä'.repeat(37) }, 'password'],
    [{ username: 'x', password: 12345678 }, 'password'],
    [{ password }, 'username'],
    [{ username: '../x', password }, 'username'],
    [{ username: 'x'.repeat(65), password }, 'username'],
    [{ username: 'x', password, role: 'root' }, 'role'],
    [[], 'body'],
    ['x', 'body'],
  ])('answers 400 to %j and names the field', async (body, field) => {
    const problem = await problemOf(await post('/auth/signup', body))
    expect(problem).toMatchObject({ status: 400, code: 'invalid-request', field })
    expect(problem.message).toContain(field)
    expect(problem.detail).toBe(problem.message)
    expect(problem.type).toBe('urn:filejobs:problem:invalid-request')
  })

  it('answers 400 to invalid JSON, 415 to another media type, 413 to a body that is too large', async () => {
    const send = (body: string, type: string) =>
      fetch(`${server.url}/auth/signup`, { method: 'POST', body, headers: { 'Content-Type': type } })
    expect(await problemOf(await send('{"username":', 'application/json'))).toMatchObject({
      status: 400,
      field: 'body',
    })
    expect(await problemOf(await send('', 'application/json'))).toMatchObject({ status: 400 })
    expect(await problemOf(await send('{}', 'text/plain'))).toMatchObject({ code: 'unsupported-media-type' })
    expect(await problemOf(await send('{}', 'application/jsonx'))).toMatchObject({ status: 415 })
    expect(
      (await send(JSON.stringify({ username: 'charset', password }), 'application/json; charset=utf-8')).status,
    ).toBe(201)
    const large = JSON.stringify({ username: 'x', password, name: 'n'.repeat(64 * 1024) })
    expect(await problemOf(await send(large, 'application/json'))).toMatchObject({
      status: 413,
      code: 'body-too-large',
    })
  })

  it('answers 413 to an endless body without waiting for its end', async () => {
    const sent = request(`${server.url}/auth/signup`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
    })
    onTestFinished(() => void sent.destroy())
    sent.on('error', () => {})
    const status = new Promise((resolve) => sent.once('response', (response) => resolve(response.statusCode)))
    for (let i = 0; i < 20; i += 1) sent.write(' '.repeat(16 * 1024))
    expect(await status).toBe(413)
  })

  it('creates no account if signup is closed, and logs in existing ones', async () => {
    const closed = await startTestServer({ signupRoles: [] })
    onTestFinished(() => closed.close())
    const refused = await post('/auth/signup', { username: 'ann', password }, undefined, closed)
    expect(await problemOf(refused)).toMatchObject({ status: 401, code: 'invalid-credentials' })
    const admin = await closed.logIn('admin', 'admin')
    expect((await post('/accounts', { username: 'ann', password }, admin, closed)).status).toBe(201)
    expect((await post('/auth/signup', { username: 'ann', password }, undefined, closed)).status).toBe(200)
  })
})

describe('POST /auth/login', () => {
  it('answers 200 with a token, for each role', async () => {
    await post('/auth/signup', { username: 'two', password })
    await post('/auth/signup', { username: 'two', password: 'another horse', role: 'ops' })
    const user = await post('/auth/login', { username: 'TWO', password })
    expect(user.status).toBe(200)
    expect(await user.json()).toMatchObject({ message: 'Logged in as user:two.', username: 'two', role: 'user' })
    const ops = await post('/auth/login', { username: 'two', password: 'another horse', role: 'ops' })
    expect(await ops.json()).toMatchObject({ role: 'ops' })
    const written = await post('/auth/login', { username: 'ops:two', password: 'another horse' })
    expect(await written.json()).toMatchObject({ role: 'ops' })
  })

  it('answers 401 with the same error to a wrong password and an unknown username', async () => {
    await post('/auth/signup', { username: 'known', password })
    const wrong = await post('/auth/login', { username: 'known', password: 'wrong horse' })
    const unknown = await post('/auth/login', { username: 'unknown', password })
    expect(wrong.headers.get('www-authenticate')).toBe('Bearer')
    const problem = await problemOf(wrong)
    expect(problem).toMatchObject({ status: 401, code: 'invalid-credentials' })
    expect(await problemOf(unknown)).toEqual(problem)
    const nobody = await post('/auth/login', { password })
    expect(await problemOf(nobody)).toMatchObject({ status: 400, field: 'username' })
  })

  it('answers 429 with Retry-After if too many logins of one account wait, and accepts other accounts', async () => {
    await post('/auth/signup', { username: 'guessed', password })
    const guesses = Array.from({ length: 80 }, (_, i) =>
      post('/auth/login', { username: 'guessed', password: `wrong horse ${i}` }),
    )
    const other = await post('/auth/signup', { username: 'not.guessed', password })
    expect(other.status).toBe(201)
    const answers = await Promise.all(guesses)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]))
    const refused = answers.find(({ status }) => status === 429)!
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await problemOf(refused)).toMatchObject({ status: 429, code: 'too-many-attempts' })
    expect((await post('/auth/login', { username: 'guessed', password })).status).toBe(200)
  })

  it('reads the client address from X-Forwarded-For only behind a trusted proxy', async () => {
    const proxied = await startTestServer({ trustProxy: 1 }, fastClock(waitsAreShorter))
    onTestFinished(() => proxied.close())
    const statuses = async (to: TestServer, addressOf: (i: number) => string) => {
      const guesses = Array.from({ length: 62 }, async (_, i) => {
        const headers = { 'Content-Type': 'application/json', 'X-Forwarded-For': `203.0.113.9, ${addressOf(i)}` }
        const body = JSON.stringify({ username: 'forwarded', password: 'wrong horse' })
        return (await fetch(`${to.url}/auth/login`, { method: 'POST', headers, body })).status
      })
      return new Set(await Promise.all(guesses))
    }
    expect(await statuses(proxied, (i) => `192.0.2.${i}`)).toEqual(new Set([401]))
    expect(await statuses(proxied, () => '192.0.2.100')).toContain(429)
    expect(await statuses(server, (i) => `192.0.2.${i}`)).toContain(429)
  })

  it('rejects excess concurrent logins instead of queueing them without limit', async () => {
    const busy = await startTestServer({ bcryptCost: 9 })
    onTestFinished(() => busy.close())
    const names = Array.from({ length: 80 }, (_, i) => `u${i}`)
    const answers = await Promise.all(
      names.map((username) => post('/auth/login', { username, password }, undefined, busy)),
    )
    const refused = answers.filter(({ status }) => status === 503)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThanOrEqual(29)
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 503]))
    for (const answer of answers) await answer.body?.cancel()
  })
})

describe('a token', () => {
  it('is accepted from both Authorization and auth_token', async () => {
    const token = await server.logIn('tokens')
    const me = async (headers: Record<string, string>) => (await fetch(`${server.url}/auth/me`, { headers })).status
    expect(await me({ Authorization: `Bearer ${token}` })).toBe(200)
    expect(await me({ Authorization: `bearer ${token}` })).toBe(200)
    expect(await me({ auth_token: token })).toBe(200)
    expect(await me({ Authorization: 'Basic YTpi', auth_token: token })).toBe(200)
    expect(await me({ Authorization: token })).toBe(401)
    expect(await me({ Authorization: `Bearer ${token}x` })).toBe(401)
    expect(await me({})).toBe(401)
  })

  it('that is missing or invalid is answered 401 with WWW-Authenticate', async () => {
    const answer = await get('/auth/me', 'nonsense')
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await problemOf(answer)).toMatchObject({ status: 401, code: 'not-logged-in' })
  })

  it.each([
    ['POST', '/auth/logout'],
    ['GET', '/auth/me'],
    ['GET', '/auth/sessions'],
    ['DELETE', '/auth/sessions/x'],
    ['POST', '/auth/password'],
  ])('is required for %s %s', async (method, path) => {
    const answer = await fetch(`${server.url}${path}`, { method })
    expect(await problemOf(answer)).toMatchObject({ status: 401, code: 'not-logged-in' })
  })

  it('of another server is rejected', async () => {
    const other = await startTestServer()
    onTestFinished(() => other.close())
    expect((await get('/auth/me', await other.logIn('ann'))).status).toBe(401)
  })

  it('remains valid after a restart', async () => {
    const dataFolder = await temporaryFolder()
    const before = await startTestServer({ dataFolder })
    const token = await before.logIn('ann')
    await before.close()
    const after = await startTestServer({ dataFolder })
    onTestFinished(() => after.close())
    expect((await get('/auth/me', token, after)).status).toBe(200)
  })
})

describe('POST /auth/logout', () => {
  it('answers 204, and the token is rejected from the next request on', async () => {
    const token = await server.logIn('leaving')
    const other = await server.logIn('leaving')
    expect((await post('/auth/logout', undefined, token)).status).toBe(204)
    expect((await get('/auth/me', token)).status).toBe(401)
    expect((await post('/auth/logout', undefined, token)).status).toBe(401)
    expect((await get('/auth/me', other)).status).toBe(200)
  })
})

describe('GET /auth/me', () => {
  it('returns the account', async () => {
    const token = await server.logIn('myself')
    const answer = await get('/auth/me/', token)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({
      id: expect.any(Number),
      account: 'user:myself',
      username: 'myself',
      role: 'user',
      name: null,
      email: null,
      disabled: false,
      quota: null,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      space: { used: 0, reserved: 0, quota: null, free: isCluster ? null : expect.any(Number) },
    })
  })
})

describe('/auth/sessions', () => {
  it('lists the account’s sessions newest first, and revokes one', async () => {
    const first = await server.logIn('sessions')
    const login = await fetch(`${server.url}/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'laptop/1.0' },
      body: JSON.stringify({ username: 'sessions', password: 'correct horse' }),
    })
    const second = ((await login.json()) as { token: string }).token
    const list = await (await get('/auth/sessions', second)).json()
    expect(list.sessions).toHaveLength(2)
    expect(list.sessions.find((session: { current: boolean }) => session.current)).toMatchObject({
      id: expect.any(String),
      createdAt: expect.any(String),
      lastUsedAt: expect.any(String),
      expiresAt: expect.any(String),
      client: 'laptop/1.0',
    })
    const { id } = list.sessions.find((session: { current: boolean }) => !session.current)
    expect((await remove(`/auth/sessions/${id}`, second)).status).toBe(204)
    expect((await get('/auth/me', first)).status).toBe(401)
    expect((await get('/auth/me', second)).status).toBe(200)
  })

  it('answers 404 to a missing session and one of another account', async () => {
    const token = await server.logIn('sessions2')
    const other = await server.logIn('sessions3')
    const { sessions } = await (await get('/auth/sessions', other)).json()
    for (const id of [sessions[0].id, 'none']) {
      const answer = await remove(`/auth/sessions/${id}`, token)
      expect(await problemOf(answer)).toMatchObject({ status: 404, code: 'session-not-found' })
    }
    expect((await get('/auth/me', other)).status).toBe(200)
  })
})

describe('POST /auth/password', () => {
  it('answers 204 and ends the other sessions', async () => {
    const token = await server.logIn('changing')
    const other = await server.logIn('changing')
    const answer = await post('/auth/password', { current: password, new: 'a newer horse' }, token)
    expect(answer.status).toBe(204)
    expect((await get('/auth/me', token)).status).toBe(200)
    expect((await get('/auth/me', other)).status).toBe(401)
    expect((await post('/auth/login', { username: 'changing', password })).status).toBe(401)
    expect((await post('/auth/login', { username: 'changing', password: 'a newer horse' })).status).toBe(200)
  })

  it('answers 401 to a wrong current password, and 400 to a new one that is too long', async () => {
    const token = await server.logIn('changing2')
    const wrong = await post('/auth/password', { current: 'wrong horse', new: 'a newer horse' }, token)
    expect(await problemOf(wrong)).toMatchObject({ status: 401, code: 'invalid-credentials', field: 'current' })
    const long = await post('/auth/password', { current: password, new: 'p'.repeat(73) }, token)
    expect(await problemOf(long)).toMatchObject({ status: 400, field: 'new' })
  })
})

function get(path: string, token: string, to = server) {
  return fetch(`${to.url}${path}`, { headers: { Authorization: `Bearer ${token}` } })
}

function remove(path: string, token: string) {
  return fetch(`${server.url}${path}`, { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } })
}

function post(path: string, body: unknown, token?: string, to = server) {
  const headers = {
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  }
  return fetch(`${to.url}${path}`, {
    method: 'POST',
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

async function problemOf(answer: Response) {
  const problem = await answer.json()
  expect(problem.status).toBe(answer.status)
  return problem
}
