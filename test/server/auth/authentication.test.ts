import { SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Revocation } from '../../../dist/server/auth/identity.js'
import { openAuthentication } from '../../helpers/authentication.js'

const ann = { role: 'user', username: 'ann', password: 'correct horse' } as const
const here = { address: '192.0.2.1', client: 'curl/8' }

describe('signing up', () => {
  it('makes the account, and logs it in when it comes again', async () => {
    const { authentication, accounts } = await openAuthentication()
    const first = await authentication.signUp({ ...ann, name: 'Ann', email: 'ann@example.org' }, here)
    expect(first).toMatchObject({ created: true, account: { role: 'user', username: 'ann', name: 'Ann' } })
    expect(first.account.passwordHash).toMatch(/^\$2b\$04\$/)
    const again = await authentication.signUp(ann, here)
    expect(again).toMatchObject({ created: false, account: { id: first.account.id } })
    expect(again.token).not.toBe(first.token)
    expect(await accounts.list()).toHaveLength(1)
  })

  it('refuses a taken name with another password', async () => {
    const { authentication } = await openAuthentication()
    await authentication.signUp(ann, here)
    const taken = authentication.signUp({ ...ann, username: 'ANN', password: 'another horse' }, here)
    await expect(taken).rejects.toMatchObject({ code: 'username-taken' })
  })

  it('lets two roles share a username', async () => {
    const { authentication } = await openAuthentication()
    await authentication.signUp(ann, here)
    expect(await authentication.signUp({ ...ann, role: 'ops', password: 'another horse' }, here)).toMatchObject({
      created: true,
    })
  })

  it('makes one account when two sign up at once', async () => {
    const { authentication, accounts } = await openAuthentication()
    const both = await Promise.all([authentication.signUp(ann, here), authentication.signUp(ann, here)])
    expect(both.map(({ created }) => created).sort()).toEqual([false, true])
    expect(await accounts.list()).toHaveLength(1)
  })

  it('makes no admin, and nobody at all where it is closed', async () => {
    const { authentication, accounts } = await openAuthentication({ signupRoles: ['ops'] })
    const admin = authentication.signUp({ ...ann, role: 'admin' }, here)
    await expect(admin).rejects.toMatchObject({ code: 'not-allowed' })
    await expect(authentication.signUp(ann, here)).rejects.toMatchObject({ code: 'invalid-credentials' })
    expect(await accounts.list()).toEqual([])
    expect(await authentication.signUp({ ...ann, role: 'ops' }, here)).toMatchObject({ created: true })
  })

  it('logs a known account in where it is closed', async () => {
    const { authentication, accounts, passwords } = await openAuthentication({ signupRoles: [] })
    const passwordHash = await passwords.hash(ann.password)
    await accounts.create({ role: 'user', username: 'ann', passwordHash, name: null, email: null })
    expect(await authentication.signUp(ann, here)).toMatchObject({ created: false })
    const wrong = authentication.signUp({ ...ann, password: 'another horse' }, here)
    await expect(wrong).rejects.toMatchObject({ code: 'invalid-credentials' })
  })
})

describe('logging in', () => {
  it('gives a token that names the account, its session and its end', async () => {
    const { authentication } = await openAuthentication()
    const { account } = await authentication.signUp(ann, here)
    const { token, session } = await authentication.logIn(ann, { ...here, client: 'x'.repeat(300) })
    expect(session).toMatchObject({ accountId: account.id, client: 'x'.repeat(200) })
    const [, payload = ''] = token.split('.')
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({
      iss: 'filejobs',
      sub: String(account.id),
      aud: 'user',
      sid: session.id,
      exp: Math.floor(Date.parse(session.expiresAt) / 1000),
    })
    const identity = await authentication.identify(token)
    expect(identity).toMatchObject({ account, sessionId: session.id })
    expect(identity.revoked.aborted).toBe(false)
  })

  it('refuses an unknown user and a wrong password alike', async () => {
    const { authentication } = await openAuthentication()
    await authentication.signUp(ann, here)
    const problems = await Promise.all([
      authentication.logIn({ ...ann, password: 'another horse' }, here).catch((error) => error),
      authentication.logIn({ ...ann, username: 'nobody' }, here).catch((error) => error),
      authentication.logIn({ ...ann, username: 'no/body' }, here).catch((error) => error),
      authentication.logIn({ ...ann, role: 'ops' }, here).catch((error) => error),
    ])
    expect(new Set(problems.map(({ code, message }) => `${code} ${message}`)).size).toBe(1)
    expect(problems[0]).toMatchObject({ code: 'invalid-credentials' })
  })

  it('takes as long for an unknown user as for a wrong password', async () => {
    const { authentication } = await openAuthentication({ cost: 8 })
    await authentication.signUp(ann, here)
    const seconds = async (username: string, round: number) => {
      const start = process.hrtime.bigint()
      await authentication
        .logIn({ ...ann, username, password: 'wrong' }, { ...here, address: `192.0.2.${round}` })
        .catch(() => {})
      return Number(process.hrtime.bigint() - start)
    }
    const known: number[] = []
    const unknown: number[] = []
    for (let round = 0; round < 9; round += 1) {
      known.push(await seconds('ann', round))
      unknown.push(await seconds('nobody', round))
    }
    // A check that is skipped takes a hundredth of the time, a noisy machine a few times as long.
    expect(median(unknown) / median(known)).toBeGreaterThan(0.1)
    expect(median(unknown) / median(known)).toBeLessThan(10)
  })

  it('does not take a password for the right one because its first 72 bytes are', async () => {
    const { authentication } = await openAuthentication()
    const password = 'p'.repeat(72)
    await authentication.signUp({ ...ann, password }, here)
    await authentication.logIn({ ...ann, password }, here)
    const longer = authentication.logIn({ ...ann, password: `${password}x` }, here)
    await expect(longer).rejects.toMatchObject({ code: 'invalid-credentials' })
    const signup = authentication.signUp({ ...ann, username: 'bob', password: `${password}x` }, here)
    await expect(signup).rejects.toMatchObject({ code: 'invalid-request' })
  })

  it('refuses a disabled account, and its tokens', async () => {
    const { authentication, accounts } = await openAuthentication()
    const { account, token } = await authentication.signUp(ann, here)
    await accounts.update(account.id, { disabled: true })
    await expect(authentication.logIn(ann, here)).rejects.toMatchObject({ code: 'not-allowed' })
    await expect(authentication.identify(token)).rejects.toMatchObject({ code: 'not-logged-in' })
  })

  it('refuses after ten wrong passwords, from that address only', async () => {
    const { authentication } = await openAuthentication()
    await authentication.signUp(ann, here)
    for (let i = 0; i < 5; i += 1) {
      await expect(authentication.logIn({ ...ann, password: 'wrong one' }, here)).rejects.toMatchObject({ status: 401 })
      await expect(authentication.signUp({ ...ann, password: 'wrong one' }, here)).rejects.toMatchObject({
        status: 409,
      })
    }
    await expect(authentication.logIn(ann, here)).rejects.toMatchObject({
      code: 'too-many-attempts',
      details: { retryAfter: expect.any(Number) },
    })
    await authentication.logIn(ann, { ...here, address: '192.0.2.2' })
  })
})

describe('a session', () => {
  it('ends at once with its logout, and tells what runs by it', async () => {
    const { authentication } = await openAuthentication()
    const { token } = await authentication.signUp(ann, here)
    const other = await authentication.logIn(ann, here)
    const identity = await authentication.identify(token)
    await authentication.logOut(identity)
    expect(identity.revoked.reason).toBeInstanceOf(Revocation)
    expect(identity.revoked.reason).toMatchObject({ by: 'user:ann' })
    await expect(authentication.identify(token)).rejects.toMatchObject({ code: 'not-logged-in' })
    expect((await authentication.identify(other.token)).revoked.aborted).toBe(false)
  })

  it('has one signal for all its requests', async () => {
    const { authentication } = await openAuthentication()
    const { token } = await authentication.signUp(ann, here)
    const [first, second] = [await authentication.identify(token), await authentication.identify(token)]
    expect(first.revoked).toBe(second.revoked)
  })

  it('aborts a request that was being identified while it was revoked', async () => {
    const { authentication } = await openAuthentication()
    const { account, token } = await authentication.signUp(ann, here)
    const identified = authentication.identify(token).catch((error) => error)
    await authentication.revokeAll(account.id, 'admin:admin')
    const result = await identified
    if (!(result instanceof Error)) expect(result.revoked.reason).toMatchObject({ by: 'admin:admin' })
    await expect(authentication.identify(token)).rejects.toMatchObject({ code: 'not-logged-in' })
  })

  it('is refused once it is expired, without ending what began by it', async () => {
    onTestFinished(() => void vi.useRealTimers())
    vi.useFakeTimers({ toFake: ['Date'] })
    const { authentication } = await openAuthentication({ sessionTtlMs: 60_000 })
    const { account, token, session } = await authentication.signUp(ann, here)
    const identity = await authentication.identify(token)
    expect(Date.parse(session.expiresAt) - Date.parse(session.createdAt)).toBe(60_000)
    vi.setSystemTime(session.expiresAt)
    await expect(authentication.identify(token)).rejects.toMatchObject({ code: 'not-logged-in' })
    expect(identity.revoked.aborted).toBe(false)
    await authentication.revokeAll(account.id, 'admin:admin')
    expect(identity.revoked.reason).toMatchObject({ by: 'admin:admin' })
  })

  it('can be revoked by its owner only', async () => {
    const { authentication } = await openAuthentication()
    const { token, session, account } = await authentication.signUp(ann, here)
    const bob = await authentication.signUp({ ...ann, username: 'bob' }, here)
    const theft = authentication.revokeSession(bob.account, session.id)
    await expect(theft).rejects.toMatchObject({ code: 'session-not-found' })
    const { revoked } = await authentication.identify(token)
    await authentication.revokeSession(account, session.id)
    expect(revoked.reason).toMatchObject({ by: 'user:ann' })
    expect(await authentication.sessions(account)).toEqual([])
  })

  it('gives way to newer ones, and what runs by it ends', async () => {
    const { authentication } = await openAuthentication({ sessionsPerAccount: 2 })
    const { token } = await authentication.signUp(ann, here)
    const { revoked } = await authentication.identify(token)
    for (const session of (await openTwoMore()).reverse()) await authentication.identify(session.token)
    expect(revoked.aborted).toBe(true)
    await expect(authentication.identify(token)).rejects.toMatchObject({ code: 'not-logged-in' })

    async function openTwoMore() {
      return [await authentication.logIn(ann, here), await authentication.logIn(ann, here)]
    }
  })

  it('survives a change of the password that it made; the others end', async () => {
    const { authentication } = await openAuthentication()
    const { token } = await authentication.signUp(ann, here)
    const other = await authentication.logIn(ann, here)
    const identity = await authentication.identify(token)
    const wrong = authentication.changePassword(identity, 'wrong one', 'a newer horse', here)
    await expect(wrong).rejects.toMatchObject({ code: 'invalid-credentials' })
    await authentication.changePassword(identity, ann.password, 'a newer horse', here)
    await authentication.identify(token)
    await expect(authentication.identify(other.token)).rejects.toMatchObject({ code: 'not-logged-in' })
    await expect(authentication.logIn(ann, here)).rejects.toMatchObject({ code: 'invalid-credentials' })
    await authentication.logIn({ ...ann, password: 'a newer horse' }, here)
  })
})

describe('a token', () => {
  it('is refused when it is altered, cut, unsigned, of another server, or no token', async () => {
    const { authentication } = await openAuthentication()
    const foreign = await openAuthentication({ secret: 'the secret of quite another server' })
    const { token, account, session } = await authentication.signUp(ann, here)
    const [header = '', payload = '', signature = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: '2' })).toString('base64url')
    const unsigned = new UnsecuredJWT({ sid: session.id }).setIssuer('filejobs').setSubject('1').setAudience('user')
    const bad = {
      altered: `${header}.${forged}.${signature}`,
      cut: token.slice(0, -2),
      unsigned: unsigned.setExpirationTime('1h').encode(),
      stripped: `${header}.${payload}.`,
      foreign: (await foreign.authentication.signUp(ann, here)).token,
      words: 'not a token',
      empty: '',
    }
    for (const [kind, text] of Object.entries(bad)) {
      const answer = await authentication.identify(text).catch(({ code }) => code)
      expect(answer, kind).toBe('not-logged-in')
    }
    expect((await authentication.identify(token)).account.id).toBe(account.id)
  })

  it('is refused with the right signature and wrong claims', async () => {
    const secret = 'a secret of this test, 32 bytes long'
    const { authentication } = await openAuthentication({ secret })
    const { session } = await authentication.signUp(ann, here)
    const key = new TextEncoder().encode(secret)
    const right = { iss: 'filejobs', sub: '1', aud: 'user', sid: session.id, exp: Math.floor(Date.now() / 1000) + 60 }
    const sign = (claims: object, alg = 'HS256') => new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(key)
    await authentication.identify(await sign(right))
    const wrong = {
      expired: await sign({ ...right, exp: right.exp - 120 }),
      endless: await sign({ ...right, exp: undefined }),
      'of another issuer': await sign({ ...right, iss: 'another' }),
      'of a higher role': await sign({ ...right, aud: 'admin' }),
      'of another account': await sign({ ...right, sub: '2' }),
      'of no session': await sign({ ...right, sid: 'none' }),
      'without a session': await sign({ ...right, sid: undefined }),
      'signed in another way': await sign(right, 'HS512'),
    }
    for (const [kind, text] of Object.entries(wrong)) {
      const answer = await authentication.identify(text).catch(({ code }) => code)
      expect(answer, kind).toBe('not-logged-in')
    }
  })
})

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}
