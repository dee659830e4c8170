import { describe, expect, it } from 'vitest'
import { LoginLimiter } from '../../../dist/server/auth/login-limiter.js'

const wrong = async () => ({ wrong: true, result: 'wrong' })
const right = async () => ({ wrong: false, result: 'right' })

describe('the login limiter', () => {
  it('refuses the eleventh wrong password a minute from one address for one account', async () => {
    let now = 0
    const limiter = new LoginLimiter({ now: () => now })
    for (let i = 0; i < 10; i += 1) {
      await limiter.check('192.0.2.1', 'user:ann', wrong)
      now += 1000
    }
    await expect(limiter.check('192.0.2.1', 'user:ann', right)).rejects.toMatchObject({
      code: 'too-many-attempts',
      details: { retryAfter: 50 },
    })
    expect(await limiter.check('192.0.2.1', 'user:bob', right)).toBe('right')
    expect(await limiter.check('192.0.2.2', 'user:ann', right)).toBe('right')
    now = 60_000
    expect(await limiter.check('192.0.2.1', 'user:ann', right)).toBe('right')
  })

  it('refuses an address after a hundred wrong passwords, whatever the account', async () => {
    const limiter = new LoginLimiter()
    for (let i = 0; i < 100; i += 1) await limiter.check('192.0.2.1', `user:u${i}`, wrong)
    await expect(limiter.check('192.0.2.1', 'user:ann', right)).rejects.toMatchObject({ code: 'too-many-attempts' })
    expect(await limiter.check('192.0.2.2', 'user:ann', right)).toBe('right')
  })

  it('does not count right passwords, nor checks that could not be made', async () => {
    const limiter = new LoginLimiter()
    for (let i = 0; i < 30; i += 1) {
      await limiter.check('192.0.2.1', 'user:ann', right)
      const broken = limiter.check('192.0.2.1', 'user:ann', async () => Promise.reject(new Error('busy')))
      await expect(broken).rejects.toThrow('busy')
    }
    expect(await limiter.check('192.0.2.1', 'user:ann', right)).toBe('right')
  })

  it('lets a burst guess no more often than a row', async () => {
    const limiter = new LoginLimiter()
    let checks = 0
    const count = async () => {
      checks += 1
      await new Promise(setImmediate)
      return { wrong: true, result: null }
    }
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, () => limiter.check('192.0.2.1', 'user:ann', count)),
    )
    expect(checks).toBe(10)
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(30)
  })

  it('lets a burst of right passwords through', async () => {
    const limiter = new LoginLimiter()
    const slowly = async () => {
      await new Promise(setImmediate)
      return right()
    }
    const burst = Array.from({ length: 40 }, () => limiter.check('192.0.2.1', 'user:ann', slowly))
    expect(new Set(await Promise.all(burst))).toEqual(new Set(['right']))
  })

  it('answers busy when too many wait', async () => {
    const limiter = new LoginLimiter({ maxWaiting: 5 })
    const slowly = async () => {
      await new Promise(setImmediate)
      return right()
    }
    const burst = Array.from({ length: 20 }, () => limiter.check('192.0.2.1', 'user:ann', slowly))
    const refused = (await Promise.allSettled(burst)).filter((result) => result.status === 'rejected')
    expect(refused.map(({ reason }) => reason.code)).toEqual(Array(5).fill('busy'))
  })

  it('takes an IPv6 network for one address, and a mapped IPv4 address for itself', async () => {
    const limiter = new LoginLimiter()
    for (let i = 0; i < 10; i += 1) await limiter.check(`2001:db8:0:7::${i + 1}`, 'user:ann', wrong)
    await expect(limiter.check('2001:DB8::7:1:2:3:4', 'user:ann', right)).rejects.toMatchObject({ status: 429 })
    expect(await limiter.check('2001:db8:0:8::1', 'user:ann', right)).toBe('right')
    for (let i = 0; i < 10; i += 1) await limiter.check('::ffff:192.0.2.1', 'user:ann', wrong)
    await expect(limiter.check('192.0.2.1', 'user:ann', right)).rejects.toMatchObject({ status: 429 })
  })

  it('remembers no more than it may', async () => {
    const limiter = new LoginLimiter({ maxRemembered: 20 })
    for (let i = 0; i < 9; i += 1) await limiter.check('192.0.2.1', 'user:ann', wrong)
    for (let i = 0; i < 30; i += 1) await limiter.check(`198.51.100.${i}`, 'user:ann', wrong)
    // Forgotten: ten more are needed.
    await limiter.check('192.0.2.1', 'user:ann', wrong)
    expect(await limiter.check('192.0.2.1', 'user:ann', right)).toBe('right')
  })
})
