import { describe, expect, it } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { shareServer } from '../../helpers/shared-server.js'

const password = 'correct horse'
const shared = shareServer()
let made = 0

describe('an invitation', () => {
  it('comes with an account, whose owner sets the password by JSON, once', async () => {
    const { account, username, url, expiresAt, anybody } = await invite()
    const days = (Date.parse(expiresAt) - Date.now()) / 86_400_000
    expect(days).toBeGreaterThan(6.9)
    expect(days).toBeLessThanOrEqual(7)
    expect(await logIn(username)).toMatchObject({ status: 401 })
    const path = new URL(url).pathname
    const shown = await anybody.call(path)
    expect(shown).toMatchObject({ status: 200, json: { account, expiresAt } })
    expect(shown.headers['cache-control']).toBe('no-store')
    const short = await anybody.post(path, { password: 'short' })
    expect(short).toMatchObject({ status: 400, json: { code: 'invalid-request', field: 'password' } })
    expect(await anybody.post(path, { password })).toMatchObject({ status: 200, json: { account } })
    expect(await logIn(username)).toMatchObject({ status: 200 })
    const again = await anybody.post(path, { password: 'another horse' })
    expect(again).toMatchObject({ status: 404, json: { code: 'invitation-not-found' } })
    expect(await anybody.call(path)).toMatchObject({ status: 404 })
  })

  it('is for an account without a password only when it is created, and lasts as long as it says', async () => {
    const admin = await shared.admin()
    for (const body of [{}, { password, invitation: {} }]) {
      const answer = await admin.post('/accounts', { username: 'neither', ...body })
      expect(answer).toMatchObject({ status: 400, json: { field: 'password' } })
    }
    for (const expiresIn of [0, 2_592_001, '7d']) {
      const answer = await admin.post('/accounts', { username: 'late', invitation: { expiresIn } })
      expect(answer).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
    }
    const { expiresAt } = await invite({ expiresIn: 60 })
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(60_000)
  })

  it('for an account that exists leaves its password and sessions until it is accepted', async () => {
    const admin = await shared.admin()
    const ann = await shared.newCaller()
    const { account } = (await ann.call('/auth/me')).json
    const { status, json } = await admin.post(`/accounts/${account}/invitation`, {})
    expect([status, json.account]).toEqual([201, account])
    expect((await ann.call('/auth/me')).status).toBe(200)
    const path = new URL(json.url).pathname
    expect((await admin.call('/accounts')).json.accounts).toContainEqual(
      expect.objectContaining({ account, invitedUntil: json.expiresAt }),
    )
    expect(await new Caller(shared.server, '').post(path, { password })).toMatchObject({ status: 200 })
    expect((await ann.call('/auth/me')).status).toBe(401)
  })

  it('is a page with a form for browsers, without scripts', async () => {
    const { account, username, url, anybody } = await invite()
    const path = new URL(url).pathname
    const page = await anybody.call(path, { headers: { Accept: 'text/html,*/*' } })
    expect(page.status).toBe(200)
    expect(page.headers).toMatchObject({
      'content-type': expect.stringContaining('text/html'),
      'content-security-policy': expect.stringMatching(/^default-src 'none'; .*form-action 'self'/),
      'referrer-policy': 'same-origin',
      vary: expect.stringContaining('Accept'),
    })
    expect(String(page.body)).toContain(`Choose a password for ${account}`)
    const send = (fields: Record<string, string>, headers = {}) =>
      anybody.call(path, {
        method: 'POST',
        body: new URLSearchParams(fields).toString(),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: shared.server.url, ...headers },
      })
    const differing = await send({ password, again: 'another horse' })
    expect([differing.status, String(differing.body)]).toEqual([400, expect.stringContaining('two passwords differ')])
    const short = await send({ password: 'short', again: 'short' })
    expect([short.status, String(short.body)]).toEqual([400, expect.stringContaining('must have 8 to 72 bytes')])
    const elsewhere = await send({ password, again: password }, { Origin: 'https://elsewhere.example' })
    expect(elsewhere.status).toBe(403)
    const set = await send({ password, again: password })
    expect([set.status, String(set.body)]).toEqual([200, expect.stringContaining(`Log in as ${account}`)])
    expect(await logIn(username)).toMatchObject({ status: 200 })
    const used = await send({ password, again: password })
    expect([used.status, String(used.body)]).toEqual([404, expect.stringContaining('This invitation does not work')])
    const opened = await anybody.call(path, { headers: { Accept: 'text/html' } })
    expect([opened.status, String(opened.body)]).toEqual([404, expect.stringContaining('Ask an admin')])
  })
})

/** An account that was created with an invitation. */
async function invite(invitation = {}) {
  const admin = await shared.admin()
  const username = `invited-${made++}`
  const { status, json } = await admin.post('/accounts', { username, invitation })
  expect([status, json.account]).toEqual([201, `user:${username}`])
  const { account, url, expiresAt } = json.invitation
  expect(url).toMatch(/^http:\/\/[^/]+\/invitations\/\d+-[\w-]{32}$/)
  return { account, username, url, expiresAt, anybody: new Caller(shared.server, '') }
}

function logIn(username: string) {
  return new Caller(shared.server, '').post('/auth/login', { username, password })
}
