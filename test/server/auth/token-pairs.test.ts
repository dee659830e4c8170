import { describe, expect, it } from 'vitest'
import { TokenPairs } from '../../../dist/server/auth/token-pairs.js'
import { type AuthenticationOptions, openAuthentication } from '../../helpers/authentication.js'

const asker = { address: '127.0.0.1', client: 'a test' }
const ann = { role: 'user' as const, username: 'ann', password: 'correct horse' }
const refused = { code: 'not-logged-in' }

async function open(options: AuthenticationOptions = {}) {
  const services = await openAuthentication({ sessionTtlMs: 365 * 86_400_000, ...options })
  await services.authentication.register(ann)
  return { ...services, pairs: new TokenPairs(services) }
}

describe('a token pair', () => {
  it('lives for half an hour and for a day', async () => {
    const { pairs } = await open()
    const before = Date.now()
    const { access, refresh } = await pairs.logIn(ann, asker)
    const after = Date.now()
    for (const [{ expiresAt }, ttlMs] of [[access, 1_800_000] as const, [refresh, 86_400_000] as const]) {
      expect(expiresAt.getTime()).toBeGreaterThanOrEqual(before + ttlMs)
      expect(expiresAt.getTime()).toBeLessThanOrEqual(after + ttlMs)
    }
  })

  it('lives no longer than a session may', async () => {
    const { pairs } = await open({ sessionTtlMs: 60_000 })
    const { access, refresh } = await pairs.logIn(ann, asker)
    expect(access.expiresAt).toEqual(refresh.expiresAt)
    expect(refresh.expiresAt.getTime() - Date.now()).toBeLessThanOrEqual(60_000)
  })

  it('opens everything by its access token, and nothing by its refresh token', async () => {
    const { pairs, authentication } = await open()
    const { access, refresh } = await pairs.logIn(ann, asker)
    expect((await authentication.identify(access.token)).account.username).toBe('ann')
    await expect(authentication.identify(refresh.token)).rejects.toMatchObject(refused)
    await expect(pairs.refresh(access.token)).rejects.toMatchObject(refused)
  })

  it('fetches access tokens of the same session until its logout', async () => {
    const { pairs, authentication } = await open()
    const { access, refresh } = await pairs.logIn(ann, asker)
    const first = await authentication.identify(access.token)
    const next = await authentication.identify((await pairs.refresh(refresh.token)).token)
    expect(next.sessionId).toBe(first.sessionId)
    await authentication.logOut(next)
    await expect(pairs.refresh(refresh.token)).rejects.toMatchObject(refused)
    await expect(authentication.identify(access.token)).rejects.toMatchObject(refused)
  })

  it('is refused where a login is', async () => {
    const { pairs } = await open()
    await expect(pairs.logIn({ ...ann, password: 'wrong horse' }, asker)).rejects.toMatchObject({
      code: 'invalid-credentials',
    })
  })
})

describe('making an account', () => {
  it('logs nobody in, and refuses a name that is taken, with the right password too', async () => {
    const { authentication, sessions, accounts } = await open()
    expect(await sessions.list((await accounts.find('user', 'ann'))!.id)).toEqual([])
    await expect(authentication.register(ann)).rejects.toMatchObject({ code: 'username-taken' })
    await expect(authentication.register({ ...ann, role: 'client' })).resolves.toMatchObject({ role: 'client' })
  })

  it('is refused for admins, and where signup is closed', async () => {
    const { authentication } = await open({ signupRoles: ['user', 'client'] })
    for (const role of ['admin', 'ops'] as const) {
      await expect(authentication.register({ ...ann, role })).rejects.toMatchObject({ code: 'not-allowed' })
    }
  })
})
