import { expect, test } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { shareServer } from '../../helpers/shared-server.js'

/** A server on which only an admin creates accounts, with `user:ann` and the disabled `user:gone`. */
const shared = shareServer({ signupRoles: [] })
const password = 'correct horse'

async function makeAccounts(): Promise<Caller> {
  const admin = await shared.admin()
  for (const username of ['ann', 'gone']) {
    await admin.call('/accounts', { method: 'POST', body: { username, password } })
  }
  await admin.call('/accounts/user:gone', { method: 'PATCH', body: { disabled: true } })
  return new Caller(shared.server, '')
}

test('a closed signup is answered 403 in the format of each dialect', async () => {
  const nobody = await makeAccounts()
  const body = { username: 'new', password }
  const collect = await nobody.post('/auth/users/', body)
  expect([collect.status, collect.json]).toMatchObject([
    403,
    { detail: expect.any(String), message: expect.any(String) },
  ])
  for (const path of ['/ops/signup', '/client/signup']) {
    const answer = await nobody.post(path, body)
    expect([answer.status, answer.headers['content-type']]).toEqual([403, 'text/plain; charset=UTF-8'])
  }
  // Our own, which one of the five shares: it lets known accounts in.
  expect((await nobody.post('/auth/signup', body)).status).toBe(401)
  expect((await nobody.post('/auth/signup', { username: 'ann', password })).status).toBe(200)
})

test('a disabled account is rejected by every dialect', async () => {
  const nobody = await makeAccounts()
  const body = { username: 'gone', password }
  for (const path of ['/signin', '/auth/signin', '/token/']) expect((await nobody.post(path, body)).status).toBe(401)
})

test('the cookie of the dashboard is accepted by no dialect', async () => {
  const nobody = await makeAccounts()
  const { url } = shared.server
  const page = { Origin: url, 'Filejobs-Csrf': '1' }
  const login = await nobody.call('/auth/cookie', {
    method: 'POST',
    headers: page,
    body: { username: 'ann', password },
  })
  const cookie = String(login.headers['set-cookie']).replace(/;.*/, '')
  const ask = (method: string, path: string) =>
    fetch(url + path, { method, headers: { ...page, Cookie: cookie } }).then(({ status }) => status)
  expect(await ask('GET', '/auth/me')).toBe(200)
  expect(await ask('POST', '/upload/stop')).toBe(404)
  const refused = [
    await ask('DELETE', '/upload/terminate'),
    await ask('POST', '/export/terminate'),
    await ask('DELETE', '/upload/kill'),
    await ask('POST', '/export/kill'),
    await ask('GET', '/collect/team/'),
    await ask('GET', '/client/files/ann'),
    await ask('GET', '/logout'),
  ]
  expect(refused).toEqual(refused.map(() => 401))
})
