import { SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Authentication } from '../../../dist/server/auth/authentication.js'
import { Revocation } from '../../../dist/server/auth/identity.js'
import { openPasswords } from '../../../dist/server/auth/passwords.js'
import { openAuthentication } from '../../helpers/authentication.js'
import { TestClock } from '../../helpers/test-clock.js'

const ann = { role: 'user', username: 'ann', password: 'correct horse' } as const
const here = { address: '192.0.2.1', client: 'curl/8' }

describe('signing up', () => {
  it('creates the account, and when repeated logs it in', async () => {
    const { authentication, accounts } = await openAuthentication()
    const first = await authentication.signUp({ ...ann, name: 'Ann', email: 'ann@example.org' }, here)
    expect(first).toMatchObject({ created: true, account: { role: 'user', username: 'ann', name: 'Ann' } })
    expect(first.account.passwordHash).toMatch(/^\$2b\$04\$/)
    const again = await authentication.signUp(ann, here)
    expect(again).toMatchObject({ created: false, account: { id: first.account.id } })
    expect(again.token).not.toBe(first.token)
    expect(await accounts.list()).toHaveLength(1)
  })

  it('rejects an existing name with another password', async () => {
    const { authentication } = await openAuthentication()
    await authentication.signUp(ann, here)
    const taken = authentication.signUp({ ...ann, username: 'ANN', password: 'another horse' }, here)
    await expect(taken).rejects.toMatchObject({ code: 'username-taken' })
  })

  it('allows the same username in two roles', async () => {
    const { authentication } = await openAuthentication()
    await authentication.signUp(ann, here)
    expect(await authentication.signUp({ ...ann, role: 'ops', password: 'another horse' }, here)).toMatchObject({
      created: true,
    })
  })

  it('creates one account for two concurrent signups', async () => {
    const { authentication, accounts } = await openAuthentication()
    const both = await Promise.all([authentication.signUp(ann, here), authentication.signUp(ann, here)])
    expect(both.map(({ created }) => created).sort()).toEqual([false, true])
    expect(await accounts.list()).toHaveLength(1)
  })

  it('creates no admin, and no account at all if signup is closed', async () => {
    const { authentication, accounts } = await openAuthentication({ signupRoles: ['ops'] })
    const admin = authentication.signUp({ ...ann, role: 'admin' }, here)
    await expect(admin).rejects.toMatchObject({ code: 'not-allowed' })
    await expect(authentication.signUp(ann, here)).rejects.toMatchObject({ code: 'invalid-credentials' })
    expect(await accounts.list()).toEqual([])
    expect(await authentication.signUp({ ...ann, role: 'ops' }, here)).toMatchObject({ created: true })
  })

  it('rejects the name admin in every role and spelling, but logs in to such an account created by an admin', async () => {
    const { authentication, accounts, passwords } = await openAuthentication()
    for (const role of ['user', 'ops', 'client'] as const) {
      for (const username of ['admin', 'Admin', 'ADMIN']) {
        const signup = authentication.signUp({ ...ann, role, username }, here)
        await expect(signup).rejects.toMatchObject({ code: 'username-taken' })
        const account = authentication.register({ ...ann, role, username }, here)
        await expect(account).rejects.toMatchObject({ code: 'username-taken' })
      }
    }
    expect(await accounts.list()).toEqual([])
    const passwordHash = await passwords.hash(ann.password)
    await accounts.create({ role: 'ops', username: 'admin', passwordHash, name: null, email: null })
    expect(await authentication.signUp({ ...ann, role: 'ops', username: 'admin' }, here)).toMatchObject({
      created: false,
    })
  })

  it('is limited by network: excess signups are rejected with a retry delay, and logins are not', async () => {
    const { authentication } = await openAuthentication({ signups: { burst: 3 } })
    for (let i = 0; i < 3; i++) await authentication.signUp({ ...ann, username: `u${i}` }, here)
    const more = authentication.signUp({ ...ann, username: 'u3' }, here)
    await expect(more).rejects.toMatchObject({ code: 'too-many-requests', details: { retryAfter: expect.any(Number) } })
    await authentication.signUp({ ...ann, username: 'u0' }, here)
    await authentication.signUp({ ...ann, username: 'u3' }, { ...here, address: '192.0.2.2' })
  })

  it('logs in to an existing account if signup is closed', async () => {
    const { authentication, accounts, passwords } = await openAuthentication({ signupRoles: [] })
    const passwordHash = await passwords.hash(ann.password)
    await accounts.create({ role: 'user', username: 'ann', passwordHash, name: null, email: null })
    expect(await authentication.signUp(ann, here)).toMatchObject({ created: false })
    const wrong = authentication.signUp({ ...ann, password: 'another horse' }, here)
    await expect(wrong).rejects.toMatchObject({ code: 'invalid-credentials' })
  })
})

describe('logging in', () => {
  it('returns a token with the account, the session and the expiry', async () => {
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

  it('rejects an unknown username and a wrong password with the same error', async () => {
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

  it('takes as long for an unknown username as for a wrong password', async () => {
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

  it('rejects a password that matches in its first 72 bytes only', async () => {
    const { authentication } = await openAuthentication()
    const password = 'p'.repeat(72)
    await authentication.signUp({ ...ann, password }, here)
    await authentication.logIn({ ...ann, password }, here)
    const longer = authentication.logIn({ ...ann, password: `${password}x` }, here)
    await expect(longer).rejects.toMatchObject({ code: 'invalid-credentials' })
    const signup = authentication.signUp({ ...ann, username: 'bob', password: `${password}x` }, here)
    await expect(signup).rejects.toMatchObject({ code: 'invalid-request' })
  })

  it('rejects a disabled account and its tokens', async () => {
    const { authentication, accounts } = await openAuthentication()
    const { account, token } = await authentication.signUp(ann, here)
    await accounts.update(account.id, { disabled: true })
    await expect(authentication.logIn(ann, here)).rejects.toMatchObject({ code: 'not-allowed' })
    await expect(authentication.identify(token)).rejects.toMatchObject({ code: 'not-logged-in' })
  })

  it('accepts a correct password after forty wrong ones for the name, from the same or another address', async () => {
    const { authentication } = await openAuthentication()
    await authentication.signUp(ann, here)
    const guesses = Array.from({ length: 40 }, (_, i) =>
      authentication.logIn({ ...ann, password: `wrong horse ${i}` }, here).catch(({ code }) => code),
    )
    await authentication.logIn(ann, { ...here, address: '192.0.2.2' })
    expect(new Set(await Promise.all(guesses))).toEqual(new Set(['invalid-credentials']))
    await authentication.logIn(ann, here)
  })

  it('rehashes a password whose cost differs from the current one, higher or lower, and accepts it afterwards', async () => {
    const { authentication, accounts, passwords } = await openAuthentication({ cost: 5 })
    for (const cost of [4, 6]) {
      const other = openPasswords({ cost, threads: 1 })
      onTestFinished(() => other.close())
      const username = `of-cost-${cost}`
      const passwordHash = await other.hash(ann.password)
      await accounts.create({ role: 'user', username, passwordHash, name: null, email: null })
      const wrong = authentication.logIn({ ...ann, username, password: 'wrong horse' }, here)
      await expect(wrong).rejects.toMatchObject({ code: 'invalid-credentials' })
      expect((await accounts.find('user', username))?.passwordHash).toBe(passwordHash)
      const { token, account } = await authentication.logIn({ ...ann, username }, here)
      const renewed = (await accounts.find('user', username))!.passwordHash
      expect(renewed).toMatch(/^\$2b\$05\$/)
      expect(await passwords.verify(ann.password, renewed)).toBe(true)
      expect((await authentication.identify(token)).account.id).toBe(account.id)
      await authentication.logIn({ ...ann, username }, here)
      expect((await accounts.find('user', username))!.passwordHash).toBe(renewed)
    }
  })

  it('succeeds for all concurrent logins with an outdated hash', async () => {
    const { authentication, accounts } = await openAuthentication({ cost: 4 })
    const other = openPasswords({ cost: 5, threads: 1 })
    onTestFinished(() => other.close())
    const passwordHash = await other.hash(ann.password)
    await accounts.create({ role: 'user', username: 'ann', passwordHash, name: null, email: null })
    const burst = await Promise.all(Array.from({ length: 12 }, () => authentication.logIn(ann, here)))
    for (const { token } of burst) await authentication.identify(token)
    expect((await accounts.find('user', 'ann'))!.passwordHash).toMatch(/^\$2b\$04\$/)
  })

  it('takes as long for an unknown name as for known ones with hashes of a lower or higher cost', async () => {
    const { authentication, accounts } = await openAuthentication({ cost: 7 })
    for (const cost of [4, 9]) {
      const other = openPasswords({ cost, threads: 1 })
      onTestFinished(() => other.close())
      const passwordHash = await other.hash(ann.password)
      await accounts.create({ role: 'user', username: `of-cost-${cost}`, passwordHash, name: null, email: null })
    }
    const times: Record<string, number[]> = { 'of-cost-4': [], 'of-cost-9': [], unknown: [] }
    for (let round = 0; round < 5; round++) {
      for (const username of Object.keys(times)) {
        const start = process.cpuUsage()
        await authentication.logIn({ ...ann, username, password: 'wrong horse' }, here).catch(() => {})
        times[username]!.push(process.cpuUsage(start).user)
      }
    }
    const [cheap, dear, unknown] = Object.values(times).map((list) => Math.min(...list))
    // By its own hash alone, the one would take a 4th and the other 32 times as long.
    for (const known of [cheap!, dear!]) {
      expect(known / unknown!).toBeGreaterThan(0.4)
      expect(known / unknown!).toBeLessThan(2.5)
    }
  })
})

describe('a session', () => {
  it('ends at once with its logout, which aborts its signal', async () => {
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

  it('that is gone without a word ends its work when the sessions are checked; others and expired ones go on', async () => {
    const clock = new TestClock()
    const { authentication, sessions } = await openAuthentication({ clock })
    const gone = await authentication.signUp(ann, here)
    const short = await authentication.logIn(ann, here, { ttlMs: 1000 })
    const kept = await authentication.logIn(ann, here)
    const signals: AbortSignal[] = []
    for (const { token } of [gone, short, kept]) signals.push((await authentication.identify(token)).revoked)
    await sessions.remove([gone.session.id])
    await clock.advance(2000)
    await authentication.checkSessions()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, false])
    expect(signals[0]!.reason).toMatchObject({ by: 'user:ann' })
  })

  it('revoked while a request is being authenticated aborts that request', async () => {
    const { authentication } = await openAuthentication()
    const { account, token } = await authentication.signUp(ann, here)
    const identified = authentication.identify(token).catch((error) => error)
    await authentication.revokeAll(account.id, 'admin:admin')
    const result = await identified
    if (!(result instanceof Error)) expect(result.revoked.reason).toMatchObject({ by: 'admin:admin' })
    await expect(authentication.identify(token)).rejects.toMatchObject({ code: 'not-logged-in' })
  })

  it('is rejected after its expiry, without aborting what it started', async () => {
    const clock = new TestClock()
    const { authentication } = await openAuthentication({ sessionTtlMs: 60_000, clock })
    const { account, token, session } = await authentication.signUp(ann, here)
    const identity = await authentication.identify(token)
    expect(Date.parse(session.expiresAt) - Date.parse(session.createdAt)).toBe(60_000)
    clock.skip(59_000)
    await authentication.identify(token)
    clock.skip(1_000)
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

  it('above the limit of sessions ends the one unused for the longest, and aborts its signal', async () => {
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

  it('that changed the password is kept; the others end', async () => {
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
  it('is rejected if it is altered, truncated, unsigned, from another server, or not a token', async () => {
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

  it('is rejected if its signature is valid but its claims are wrong', async () => {
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

describe('logging in without a role', () => {
  const open = { username: 'ann', password: 'correct horse' }

  it('finds the account of any role, whatever the spelling of its name', async () => {
    const { authentication } = await openAuthentication()
    await authentication.signUp({ ...ann, role: 'client' }, here)
    const login = await authentication.logInToAnyRole({ ...open, username: 'Ann' }, here)
    expect(login.account).toMatchObject({ role: 'client', username: 'ann' })
    await expect(authentication.logInToAnyRole({ ...open, password: 'wrong horse' }, here)).rejects.toMatchObject({
      code: 'invalid-credentials',
    })
  })

  it('finds the one whose password it is, and asks for the role only if it is that of several', async () => {
    const { authentication } = await openAuthentication()
    await authentication.signUp(ann, here)
    await authentication.signUp({ ...ann, role: 'ops', password: 'another horse' }, here)
    const other = await authentication.logInToAnyRole({ ...open, password: 'another horse' }, here)
    expect(other.account.role).toBe('ops')
    await authentication.signUp({ ...ann, role: 'client' }, here)
    await expect(authentication.logInToAnyRole(open, here)).rejects.toMatchObject({
      code: 'role-required',
      details: { roles: ['user', 'client'] },
    })
  })

  it('prefers an enabled account, and says that an only one is disabled', async () => {
    const { authentication, accounts } = await openAuthentication()
    const { account } = await authentication.signUp(ann, here)
    await accounts.update(account.id, { disabled: true })
    await expect(authentication.logInToAnyRole(open, here)).rejects.toMatchObject({ code: 'not-allowed' })
    await authentication.signUp({ ...ann, role: 'ops' }, here)
    expect((await authentication.logInToAnyRole(open, here)).account.role).toBe('ops')
  })

  it('checks a password for each role, whichever accounts exist', async () => {
    const { passwords, ...services } = await openAuthentication()
    let checks = 0
    const counting = {
      ...passwords,
      verify: (...check: Parameters<typeof passwords.verify>) => {
        checks += 1
        return passwords.verify(...check)
      },
    }
    const authentication = new Authentication({ ...services, passwords: counting })
    const countOf = async (attempt: typeof open) => {
      checks = 0
      await authentication.logInToAnyRole(attempt, here).catch(() => {})
      return checks
    }
    const counts = [await countOf(open)]
    await authentication.signUp(ann, here)
    counts.push(await countOf(open), await countOf({ ...open, password: 'wrong horse' }))
    await authentication.signUp({ ...ann, role: 'ops' }, here)
    counts.push(await countOf(open), await countOf({ ...open, username: 'no name' }))
    expect(counts).toEqual([4, 4, 4, 4, 4])
  })
})
