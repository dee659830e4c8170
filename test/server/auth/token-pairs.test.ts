import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { TokenPairs } from '../../../dist/server/auth/token-pairs.js'
import { type AuthenticationOptions, openAuthentication } from '../../helpers/authentication.js'

const requester = { address: '127.0.0.1', client: 'a test' }
const ann = { role: 'user' as const, username: 'ann', password: 'correct horse' }
const refused = { code: 'not-logged-in' }

async function open(options: AuthenticationOptions = {}) {
  const services = await openAuthentication({ sessionTtlMs: 365 * 86_400_000, ...options })
  await services.authentication.register(ann, requester)
  return { ...services, pairs: new TokenPairs(services) }
}

describe('a token pair', () => {
  it('expires after half an hour and after a day', async () => {
    const { pairs } = await open()
    const before = Date.now()
    const { access, refresh } = await pairs.logIn(ann, requester, { rotates: false })
    const after = Date.now()
    for (const [{ expiresAt }, ttlMs] of [[access, 1_800_000] as const, [refresh, 86_400_000] as const]) {
      expect(expiresAt.getTime()).toBeGreaterThanOrEqual(before + ttlMs)
      expect(expiresAt.getTime()).toBeLessThanOrEqual(after + ttlMs)
    }
  })

  it('expires no later than the maximum age of a session', async () => {
    const { pairs } = await open({ sessionTtlMs: 60_000 })
    const { access, refresh } = await pairs.logIn(ann, requester, { rotates: false })
    expect(access.expiresAt).toEqual(refresh.expiresAt)
    expect(refresh.expiresAt.getTime() - Date.now()).toBeLessThanOrEqual(60_000)
  })

  it('opens everything by its access token, and nothing by its refresh token', async () => {
    const { pairs, authentication } = await open()
    const { access, refresh } = await pairs.logIn(ann, requester, { rotates: false })
    expect((await authentication.identify(access.token)).account.username).toBe('ann')
    await expect(authentication.identify(refresh.token)).rejects.toMatchObject(refused)
    await expect(pairs.refresh(access.token)).rejects.toMatchObject(refused)
  })

  it('issues access tokens of the same session until its logout', async () => {
    const { pairs, authentication } = await open()
    const { access, refresh } = await pairs.logIn(ann, requester, { rotates: false })
    const first = await authentication.identify(access.token)
    const next = await authentication.identify((await pairs.refresh(refresh.token)).token)
    expect(next.sessionId).toBe(first.sessionId)
    await authentication.logOut(next)
    await expect(pairs.refresh(refresh.token)).rejects.toMatchObject(refused)
    await expect(authentication.identify(access.token)).rejects.toMatchObject(refused)
  })

  it('has the kind, the id and the account in the claims token_type, jti and user_id', async () => {
    const { pairs } = await open()
    const { account, access, refresh } = await pairs.logIn(ann, requester, { rotates: false })
    const jti = expect.stringMatching(/^[\da-f-]{36}$/)
    expect(decodeJwt(access.token)).toMatchObject({ token_type: 'access', user_id: account.id, jti })
    expect(decodeJwt(refresh.token)).toMatchObject({ token_type: 'refresh', user_id: account.id, jti })
    expect(decodeJwt(access.token).jti).not.toBe(decodeJwt(refresh.token).jti)
    const next = await pairs.refresh(refresh.token)
    expect(decodeJwt(next.token).jti).not.toBe(decodeJwt(access.token).jti)
  })

  it('with rotation gives the next pair in the same session until its day is over', async () => {
    const { pairs, authentication } = await open()
    const first = await pairs.logIn(ann, requester, { rotates: true })
    const second = await pairs.rotate(first.refresh.token)
    const third = await pairs.rotate(second.refresh.token)
    expect(Math.abs(third.refresh.expiresAt.getTime() - first.refresh.expiresAt.getTime())).toBeLessThan(1000)
    const sessions = [first, second, third].map(({ access }) => authentication.identify(access.token))
    expect(new Set((await Promise.all(sessions)).map(({ sessionId }) => sessionId)).size).toBe(1)
  })

  it('with rotation revokes its session, and aborts what it runs, when a refresh token is reused', async () => {
    const { pairs, authentication } = await open()
    const bystander = await pairs.logIn(ann, requester, { rotates: true })
    const first = await pairs.logIn(ann, requester, { rotates: true })
    const second = await pairs.rotate(first.refresh.token)
    const { revoked } = await authentication.identify(second.access.token)
    await expect(pairs.rotate(first.refresh.token)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('used twice'),
    })
    expect(revoked.aborted).toBe(true)
    await expect(authentication.identify(second.access.token)).rejects.toMatchObject(refused)
    await expect(pairs.rotate(second.refresh.token)).rejects.toMatchObject(refused)
    await authentication.identify(bystander.access.token)
    await pairs.rotate(bystander.refresh.token)
  })

  it('with rotation gives the next pair to one of two concurrent refreshes, and revokes the session', async () => {
    const { pairs, authentication } = await open()
    const { refresh, access } = await pairs.logIn(ann, requester, { rotates: true })
    const both = await Promise.allSettled([pairs.rotate(refresh.token), pairs.rotate(refresh.token)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(authentication.identify(access.token)).rejects.toMatchObject(refused)
  })

  it('is refreshed only by its own method, with rotation or without', async () => {
    const { pairs } = await open()
    const rotating = await pairs.logIn(ann, requester, { rotates: true })
    const fixed = await pairs.logIn(ann, requester, { rotates: false })
    await expect(pairs.refresh(rotating.refresh.token)).rejects.toMatchObject(refused)
    await expect(pairs.rotate(fixed.refresh.token)).rejects.toMatchObject(refused)
    for (let i = 0; i < 3; i++) await pairs.refresh(fixed.refresh.token)
    await pairs.rotate(rotating.refresh.token)
  })

  it('is rejected under the same conditions as a login', async () => {
    const { pairs } = await open()
    await expect(pairs.logIn({ ...ann, password: 'wrong horse' }, requester, { rotates: false })).rejects.toMatchObject(
      {
        code: 'invalid-credentials',
      },
    )
  })
})

describe('creating an account', () => {
  it('creates no session, and rejects an existing name, even with the correct password', async () => {
    const { authentication, sessions, accounts } = await open()
    expect(await sessions.list((await accounts.find('user', 'ann'))!.id)).toEqual([])
    await expect(authentication.register(ann, requester)).rejects.toMatchObject({ code: 'username-taken' })
    await expect(authentication.register({ ...ann, role: 'client' }, requester)).resolves.toMatchObject({
      role: 'client',
    })
  })

  it('is rejected for admins, and if signup is closed', async () => {
    const { authentication } = await open({ signupRoles: ['user', 'client'] })
    for (const role of ['admin', 'ops'] as const) {
      await expect(authentication.register({ ...ann, role }, requester)).rejects.toMatchObject({ code: 'not-allowed' })
    }
  })
})
