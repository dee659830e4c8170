import { describe, expect, it } from 'vitest'
import { openTokens, type TokenClaims, type Tokens } from '../../../dist/server/auth/tokens.js'
import { rememberVerified } from '../../../dist/server/auth/verified-tokens.js'
import { TestClock } from '../../helpers/test-clock.js'

describe('a verified token', () => {
  it('is not verified again before its expiry', async () => {
    const { tokens, verifications } = await open()
    const token = await tokens.issue(claims())
    for (let request = 0; request < 3; request++) expect(await tokens.read(token)).toMatchObject({ sessionId: 's-1' })
    expect(verifications()).toBe(1)
  })

  it('is verified again from its expiry on', async () => {
    const { tokens, clock, verifications } = await open()
    const token = await tokens.issue(claims(clock.now() + 60_000))
    for (const [elapsedMs, verified] of [
      [0, 1],
      [58_000, 1],
      [2_000, 2],
    ] as const) {
      await clock.advance(elapsedMs)
      await tokens.read(token)
      expect(verifications()).toBe(verified)
    }
  })

  it('does not make an altered token valid', async () => {
    const { tokens } = await open()
    const token = await tokens.issue(claims())
    await tokens.read(token)
    const [header, payload, signature] = token.split('.') as [string, string, string]
    const admin = Buffer.from(payload, 'base64url').toString().replace('"user"', '"admin"')
    const forged = [header, Buffer.from(admin).toString('base64url'), signature].join('.')
    for (const altered of [forged, `${header}.${payload}.`, `${token}x`]) {
      expect(await tokens.read(altered)).toBeUndefined()
      expect(await tokens.read(altered)).toBeUndefined()
    }
  })
})

async function open() {
  const clock = new TestClock()
  const real = await openTokens(new TextEncoder().encode('a secret of this test, 32 bytes long'), clock)
  let count = 0
  const counted: Tokens = {
    issue: (given) => real.issue(given),
    read(token) {
      count++
      return real.read(token)
    },
  }
  return { tokens: rememberVerified(counted, clock), clock, verifications: () => count }
}

function claims(expiresAtMs = Date.now() + 3_600_000): TokenClaims {
  return { accountId: 7, role: 'user', sessionId: 's-1', expiresAt: new Date(expiresAtMs), use: 'access' }
}
