import { monitorEventLoopDelay } from 'node:perf_hooks'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openPasswords, type PasswordsOptions } from '../../../dist/server/auth/passwords.js'

describe('passwords', () => {
  it('fit their own hash only, letter for letter', async () => {
    const passwords = open({ cost: 4 })
    const hash = await passwords.hash('pässwörd ✓')
    expect(hash).toMatch(/^\$2b\$04\$/)
    expect(await passwords.verify('pässwörd ✓', hash)).toBe(true)
    expect(await passwords.verify('pässwörd', hash)).toBe(false)
    expect(await passwords.verifyUnknown('pässwörd ✓')).toBe(false)
    expect(await passwords.hash('pässwörd ✓')).not.toBe(hash)
  })

  it('have 72 bytes at most, because bcrypt would cut the rest', async () => {
    const passwords = open({ cost: 4 })
    await passwords.hash('ä'.repeat(36))
    await expect(passwords.hash('ä'.repeat(37))).rejects.toMatchObject({ code: 'invalid-request' })
  })

  it('wait for their turn in limited number', async () => {
    const passwords = open({ cost: 4, maxWaiting: 3 })
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => passwords.verifyUnknown('x')))
    expect(results.map((result) => (result.status === 'rejected' ? result.reason.code : 'checked'))).toEqual([
      ...Array(4).fill('checked'),
      ...Array(2).fill('busy'),
    ])
    expect(await passwords.verifyUnknown('x')).toBe(false)
  })

  it('that are being checked when the server ends fail with shutting-down', async () => {
    const passwords = open({ cost: 10 })
    const checks = Promise.allSettled([passwords.verifyUnknown('x'), passwords.verifyUnknown('y')])
    await passwords.close()
    const reasons = (await checks).map((result) => result.status === 'rejected' && result.reason.code)
    expect(reasons).toEqual(['shutting-down', 'shutting-down'])
  })

  it('are checked off the main thread', async () => {
    const passwords = open({ cost: 11 })
    await passwords.verifyUnknown('warm')
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    await Promise.all([passwords.verifyUnknown('x'), passwords.verifyUnknown('y')])
    delay.disable()
    // Two checks take half a second; on the main thread they would let it run but once or twice.
    expect(delay.count).toBeGreaterThan(10)
  })
})

function open(options: PasswordsOptions) {
  const passwords = openPasswords(options)
  onTestFinished(() => passwords.close())
  return passwords
}
