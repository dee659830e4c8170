import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { type AuditEvent, auditEvents } from '../../../dist/server/audit-events.js'
import type { RouteEntry } from '../../../dist/server/routing/route-entry.js'
import { routeTable } from '../../../dist/server/routing/route-table.js'
import { Caller } from '../../helpers/calls.js'
import { startTestServer, type TestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'

/** Routes that change something and have no audit line, each for its reason. */
const withoutLine = [
  // Logins and signups, whose lines come from where the password is checked.
  /^POST \/(auth\/(signup|login|cookie|tokens|tokens\/refresh|signin|users)|signin|token|token\/refresh)$/,
  /^POST \/(ops|client)\/(signup|login)$/,
  // Jobs, which have lines of their own, and their control.
  /^(POST|PATCH) \/jobs/,
  /^(POST|PUT|PATCH|DELETE) \/(tus|r\/\{token\}|upload|export|published|import|query|ops\/upload|collect)/,
  /^(POST|PUT) \/files(\/\{(name|folder)\}\/?)?$/,
  // Nothing is changed.
  /^POST \/(s\/\{token\}|server\/check)$/,
]

describe('the audit lines', () => {
  const shared = shareServer()
  let ann: Caller
  let admin: Caller

  beforeAll(async () => {
    ann = new Caller(shared.server, await shared.server.logIn('ann'))
    admin = await shared.admin()
  })

  const linesOf = (event: AuditEvent, server: TestServer = shared.server) =>
    server.logged.filter(({ details }) => details.event === event).map(({ details }) => details)
  const lineOf = async (event: AuditEvent) => {
    await expect.poll(() => linesOf(event).length, { message: event }).toBeGreaterThan(0)
    return linesOf(event).at(-1)
  }
  const by = (account: string | null, outcome = 'done') => ({ account, address: '127.0.0.1', outcome })

  it('name who signed up and logged in, and who failed to', async () => {
    expect(await lineOf('signup')).toMatchObject(by('user:ann'))
    expect(await lineOf('login')).toMatchObject(by('admin:admin'))
    await new Caller(shared.server, '').post('/auth/login', { username: 'ann', password: 'wrong wrong' })
    expect(await lineOf('login.refused')).toMatchObject({ ...by('user:ann', 'refused'), code: 'invalid-credentials' })
    const open = { username: 'Ann', password: 'wrong wrong' }
    const { url } = shared.server
    const headers = { Origin: url, 'X-Filejobs-Page': '1', 'Filejobs-CSRF': '1' }
    await new Caller(shared.server, '').call('/auth/cookie', { method: 'POST', body: open, headers })
    expect(JSON.stringify(linesOf('login.refused'))).not.toContain('wrong wrong')
  })

  it('name who removed, moved and shared what, also where it was refused', async () => {
    for (const name of ['a.txt', 'folder/b.txt']) await ann.call(`/files/${name}`, { method: 'PUT', body: name })
    await ann.post('/files/a.txt/move', { to: 'c.txt' })
    expect(await lineOf('file.move')).toMatchObject({ ...by('user:ann'), target: '/files/a.txt/move', to: 'c.txt' })
    const share = (await ann.post('/shares', { filename: 'c.txt', expiresIn: 60 })).json
    expect(await lineOf('share.create')).toMatchObject({ ...by('user:ann'), name: 'c.txt', id: share.id })
    await ann.call(`/shares/${share.id}`, { method: 'DELETE' })
    expect(await lineOf('share.revoke')).toMatchObject({ ...by('user:ann'), target: `/shares/${share.id}` })
    const request = (await ann.post('/requests', { folder: 'in/', expiresIn: 60 })).json
    expect(await lineOf('request.create')).toMatchObject({ ...by('user:ann'), name: 'in/', id: request.id })
    await ann.call(`/requests/${request.id}`, { method: 'DELETE' })
    expect(await lineOf('request.revoke')).toMatchObject(by('user:ann'))
    await ann.call('/files/c.txt', { method: 'DELETE' })
    expect(await lineOf('file.remove')).toMatchObject({ ...by('user:ann'), target: '/files/c.txt', status: 204 })
    await ann.call('/files/c.txt', { method: 'DELETE' })
    await expect.poll(() => linesOf('file.remove').length).toBe(2)
    expect(await lineOf('file.remove')).toMatchObject({ ...by('user:ann', 'refused'), status: 404 })
    await ann.call('/files/folder/', { method: 'DELETE' })
    await expect
      .poll(() => linesOf('file.remove').at(-1))
      .toMatchObject({ ...by('user:ann'), target: '/files/folder/' })
    for (const [event, path, method] of [
      ['table.change', '/tables/sales', 'PATCH'],
      ['table.remove', '/tables/sales', 'DELETE'],
      ['import.remove', '/tables/sales/imports/1', 'DELETE'],
    ] as const) {
      await ann.call(path, { method, ...(method === 'PATCH' ? { body: { name: 'turnover' } } : {}) })
      expect(await lineOf(event)).toMatchObject({ ...by('user:ann', 'refused'), status: 404 })
    }
  })

  it('name the admin and the account that was changed', async () => {
    const password = 'a password of bob'
    await admin.post('/accounts', { role: 'user', username: 'bob', password })
    expect(await lineOf('account.create')).toMatchObject({ ...by('admin:admin'), changed: 'user:bob' })
    await admin.call('/accounts/user:bob', { method: 'PATCH', body: { disabled: true } })
    const changed = { changed: 'user:bob', changes: 'disabled' }
    expect(await lineOf('account.change')).toMatchObject({ ...by('admin:admin'), ...changed })
    await new Caller(shared.server, '').post('/auth/login', { username: 'bob', password })
    await expect.poll(() => linesOf('login.refused').at(-1)).toMatchObject({ account: 'user:bob', code: 'not-allowed' })
    await admin.call('/accounts/user:bob', { method: 'PATCH', body: { disabled: false } })
    const { url } = (await admin.post('/accounts/user:bob/invitation', {})).json
    expect(await lineOf('account.invite')).toMatchObject({ ...by('admin:admin'), changed: 'user:bob' })
    const path = new URL(url).pathname
    await new Caller(shared.server, '').post(path, { password: 'another password' })
    expect(await lineOf('invitation.accept')).toMatchObject({ ...by(null), target: '/invitations/…' })
    await admin.call('/accounts/user:bob', { method: 'DELETE' })
    expect(await lineOf('account.remove')).toMatchObject({ ...by('admin:admin'), changed: 'user:bob' })
    await ann.post('/accounts', { role: 'user', username: 'eve', password })
    await expect
      .poll(() => linesOf('account.create').at(-1))
      .toMatchObject({ ...by('user:ann', 'refused'), status: 403 })
    expect(JSON.stringify(shared.server.logged)).not.toMatch(/password of bob|another password/)
  })

  it('name who ended sessions, by logout, revocation or a new password', async () => {
    await shared.server.logIn('ann')
    const { sessions } = (await ann.call('/auth/sessions')).json
    const other = sessions.find(({ current }: { current: boolean }) => !current)
    await ann.call(`/auth/sessions/${other.id}`, { method: 'DELETE' })
    expect(await lineOf('session.revoke')).toMatchObject(by('user:ann'))
    await ann.post('/auth/password', { current: 'correct horse', new: 'battery staple' })
    expect(await lineOf('password.change')).toMatchObject(by('user:ann'))
    await ann.post('/auth/logout')
    expect(await lineOf('logout')).toMatchObject(by('user:ann'))
  })

  it('have none for a request without a login', async () => {
    const before = linesOf('file.remove').length
    await new Caller(shared.server, 'wrong').call('/files/a.txt', { method: 'DELETE' })
    await expect.poll(() => shared.server.logged.map(({ message }) => message)).toContain('DELETE /files/a.txt 401')
    expect(linesOf('file.remove')).toHaveLength(before)
  })

  it('had each event here at least once', () => {
    const seen = new Set(shared.server.logged.map(({ details }) => details.event))
    expect(Object.keys(auditEvents).filter((event) => !seen.has(event))).toEqual([])
  })
})

test('the address of an audit line is that of the client of a trusted proxy', async () => {
  const server = await startTestServer({ trustProxy: 1 })
  const headers = { 'X-Forwarded-For': '203.0.113.9' }
  const body = { username: 'ann', password: 'correct horse' }
  await new Caller(server, '').call('/auth/signup', { method: 'POST', headers, body })
  const addresses = server.logged.filter(({ details }) => details.event).map(({ details }) => details.address)
  await server.close()
  expect(addresses).toEqual(['203.0.113.9', '203.0.113.9'])
})

test('every route that changes something has an audit line, or a reason to have none', () => {
  const changing = Object.entries(routeTable).filter(([key]) => !/^(GET|HEAD) /.test(key))
  const missing = changing.filter(([key, entry]) => {
    return (entry as RouteEntry).audit === undefined && !withoutLine.some((pattern) => pattern.test(key))
  })
  expect(missing.map(([key]) => key)).toEqual([])
})

test('the events in docs/deploy.md are those of the table', () => {
  const text = readFileSync(new URL('../../../docs/deploy.md', import.meta.url), 'utf8')
  const rows = Object.entries(auditEvents).map(([event, meaning]) => `| \`${event}\` | ${meaning} |`)
  const documented = text
    .split('\n')
    .filter((line) => /^\| `(login|[a-z]+\.[a-z]+|signup|logout)[a-z.]*` \|/.test(line))
  expect(documented).toEqual(rows)
})
