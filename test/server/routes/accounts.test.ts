import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../helpers/server.js'
import { storedFiles } from '../../helpers/stored-state.js'

const password = 'correct horse'
let server: TestServer
let admin: string

beforeAll(async () => {
  server = await startTestServer()
  admin = await server.logIn('admin', 'admin')
})
afterAll(() => server.close())

describe('/accounts', () => {
  it('lists accounts without their password hashes', async () => {
    await server.logIn('listed')
    const answer = await send('GET', '/accounts')
    expect(answer.status).toBe(200)
    const text = await answer.text()
    expect(text).not.toContain('$2b$')
    expect(JSON.parse(text).accounts).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ account: 'admin:admin', id: 1, role: 'admin' }),
        expect.objectContaining({ account: 'user:listed', disabled: false }),
      ]),
    )
  })

  it('creates an account of any role, and answers 409 if it exists', async () => {
    const made = await send('POST', '/accounts', { username: 'ops1', password, role: 'ops', name: 'One' })
    expect(made.status).toBe(201)
    expect(await made.json()).toMatchObject({ account: 'ops:ops1', name: 'One', disabled: false })
    const again = await send('POST', '/accounts', { username: 'OPS1', password, role: 'ops' })
    expect(await again.json()).toMatchObject({ status: 409, code: 'username-taken' })
    const bad = await send('POST', '/accounts', { username: 'x', password: 'short' })
    expect(await bad.json()).toMatchObject({ status: 400, code: 'invalid-request', field: 'password' })
  })

  it.each(['user', 'ops', 'client'])('is forbidden for the role %s', async (role) => {
    const token = await server.logIn('curious', role)
    for (const [method, path, body] of requests) {
      const answer = await send(method, path, body, token)
      expect(await answer.json(), `${method} ${path}`).toMatchObject({ status: 403, code: 'not-allowed' })
    }
  })

  it('requires a login', async () => {
    for (const [method, path, body] of requests) {
      const answer = await send(method, path, body, 'nonsense')
      expect(await answer.json(), `${method} ${path}`).toMatchObject({ status: 401, code: 'not-logged-in' })
    }
  })

  it('disables an account at once, and enables it', async () => {
    const token = await server.logIn('disabled')
    const answer = await send('PATCH', '/accounts/user:disabled', { disabled: true })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ account: 'user:disabled', disabled: true })
    const refused = await send('GET', '/auth/me', undefined, token)
    const message = 'The account user:disabled is disabled: ask an admin.'
    expect(await refused.json()).toMatchObject({ status: 401, code: 'not-logged-in', message })
    const login = await send('POST', '/auth/login', { username: 'disabled', password })
    expect(await login.json()).toMatchObject({ status: 403, code: 'not-allowed' })
    expect((await send('PATCH', '/accounts/user%3Adisabled', { disabled: false })).status).toBe(200)
    expect((await send('POST', '/auth/login', { username: 'disabled', password })).status).toBe(200)
  })

  it('sets quotas', async () => {
    const made = await send('POST', '/accounts', { username: 'small', password, quota: 5000 })
    expect([made.status, await made.json()]).toMatchObject([201, { account: 'user:small', quota: 5000 }])
    const path = '/accounts/user:small'
    for (const quota of ['none', 7000, null]) {
      expect(await (await send('PATCH', path, { quota })).json()).toMatchObject({ quota })
    }
    await send('PATCH', path, { quota: 7000 })
    expect(await (await send('PATCH', path, { disabled: false })).json()).toMatchObject({ quota: 7000 })
    for (const quota of [0, -1, 1.5, '5G', true]) {
      expect(await (await send('PATCH', path, { quota })).json()).toMatchObject({ status: 400, field: 'quota' })
    }
    const message = 'quota must be a number of bytes above 0, "none", or null.'
    expect(await (await send('PATCH', path, { quota: '5G' })).json()).toMatchObject({ message })
  })

  it('stops the jobs of a disabled account', async () => {
    const token = await server.logIn('uploading')
    const upload = fetch(`${server.url}/files/slow.bin`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${token}` },
      body: new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1000)) }),
      duplex: 'half',
    } as RequestInit)
    const running = async () => (await (await send('GET', '/jobs?account=all&state=running')).json()).jobs.length
    await expect.poll(running).toBe(1)
    await send('PATCH', '/accounts/user:uploading', { disabled: true })
    const answer = await upload
    expect(await answer.json()).toMatchObject({ status: 409, code: 'job-stopped', stoppedBy: 'admin:admin' })
    expect(await running()).toBe(0)
  })

  it('makes the links of a disabled account answer as revoked ones, until it is enabled', async () => {
    const token = await server.logIn('sharing')
    await fetch(`${server.url}/files/a.txt`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${token}` },
      body: 'content',
    })
    const { url } = await (await send('POST', '/shares', { filename: 'a.txt', expiresIn: 60 }, token)).json()
    await send('PATCH', '/accounts/user:sharing', { disabled: true })
    const refused = await fetch(url)
    expect(await refused.json()).toMatchObject({ status: 404, code: 'share-not-found' })
    await send('PATCH', '/accounts/user:sharing', { disabled: false })
    expect(await (await fetch(url)).text()).toBe('content')
  })

  it('resets a password, which ends the sessions', async () => {
    const token = await server.logIn('forgetful')
    expect((await send('PATCH', '/accounts/user:forgetful', { password: 'a newer horse' })).status).toBe(200)
    expect((await send('GET', '/auth/me', undefined, token)).status).toBe(401)
    expect((await send('POST', '/auth/login', { username: 'forgetful', password: 'a newer horse' })).status).toBe(200)
  })

  it('removes an account with its files; a new account of that name has another id', async () => {
    const token = await server.logIn('removed')
    const before = await (await send('GET', '/auth/me', undefined, token)).json()
    await fetch(`${server.url}/files/a/b.txt`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${token}` },
      body: 'content',
    })
    expect(await storedFiles(server.dataFolder, 'user:removed')).toEqual(['a/b.txt'])
    expect((await send('DELETE', '/accounts/user:removed')).status).toBe(204)
    expect(await storedFiles(server.dataFolder, 'user:removed')).toEqual([])
    expect((await send('GET', '/auth/me', undefined, token)).status).toBe(401)
    const again = await server.logIn('removed')
    expect((await (await send('GET', '/auth/me', undefined, again)).json()).id).toBeGreaterThan(before.id)
    expect((await (await send('GET', '/files', undefined, again)).json()).files).toEqual([])
  })

  it('rejects the removal of the last admin', async () => {
    for (const answer of [
      await send('PATCH', '/accounts/admin:admin', { disabled: true }),
      await send('DELETE', '/accounts/admin:admin'),
    ]) {
      expect(await answer.json()).toMatchObject({ status: 409, code: 'last-admin' })
    }
    expect((await send('GET', '/auth/me')).status).toBe(200)
  })

  it.each(['user:nobody', 'nobody', 'root:admin', 'user:'])('answers 404 to %s', async (name) => {
    for (const [method, body] of [['PATCH', {}], ['DELETE']] as const) {
      const answer = await send(method, `/accounts/${name}`, body)
      expect(await answer.json()).toMatchObject({ status: 404, code: 'account-not-found' })
    }
  })

  it('answers 400 to a change of other fields', async () => {
    const answer = await send('PATCH', '/accounts/admin:admin', { disabled: 'yes' })
    expect(await answer.json()).toMatchObject({ status: 400, field: 'disabled' })
  })
})

const requests = [
  ['GET', '/accounts', undefined],
  ['POST', '/accounts', { username: 'x', password }],
  ['PATCH', '/accounts/admin:admin', { disabled: true }],
  ['DELETE', '/accounts/admin:admin', undefined],
] as const

function send(method: string, path: string, body?: unknown, token = admin) {
  return fetch(`${server.url}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}
