import { describe, expect, it } from 'vitest'
import { LoginLimiter } from '../../../dist/server/auth/login-limiter.js'
import { systemClock } from '../../../dist/server/clock.js'
import type { LimitCount } from '../../../dist/server/stores/bus.js'
import { TestClock } from '../../helpers/test-clock.js'

const wrong = async () => ({ wrong: true, result: 'wrong' })
const right = async () => ({ wrong: false, result: 'right' })
const ann = { address: '192.0.2.1', account: 'user:ann', client: 'curl' }

/** A limiter whose delays pass without waiting, and the time that they took. */
function withClock(options = {}) {
  const clock = new TestClock()
  const limiter = new LoginLimiter({ clock, ...options })
  const timed = async <T>(attempt: Promise<T>): Promise<{ result: T; tookMs: number }> => {
    const start = clock.monotonicMs()
    let isSettled = false
    const settled = attempt.finally(() => {
      isSettled = true
    })
    settled.catch(() => {})
    for (;;) {
      // The steps of an attempt that waits for no timer.
      for (let step = 0; step < 30 && !isSettled; step++) await Promise.resolve()
      if (isSettled) return { result: await settled, tookMs: clock.monotonicMs() - start }
      await clock.advance(10)
    }
  }
  return { limiter, timed, clock }
}

describe('the login limiter', () => {
  it('counts a password for several accounts as one for each', async () => {
    const { limiter, timed } = withClock()
    const { account: _, ...by } = ann
    const all = { ...by, accounts: ['user:ann', 'client:ann'] }
    const own = async () => ({ right: ['client:ann'], result: 'client:ann' })
    for (let attempt = 0; attempt < 30; attempt++) await timed(limiter.checkAll(all, own))
    expect((await timed(limiter.check({ ...ann, client: 'other', account: 'client:ann' }, wrong))).tookMs).toBe(0)
    await timed(limiter.check(ann, wrong))
    expect((await timed(limiter.check(ann, wrong))).tookMs).toBeGreaterThan(0)
  })

  it('delays attempts after ten wrong passwords, doubling with each ten up to 5 s', async () => {
    const { limiter, timed } = withClock()
    const waits: number[] = []
    for (let i = 0; i < 130; i++) waits.push((await timed(limiter.check(ann, wrong))).tookMs)
    expect(waits.slice(0, 11)).toEqual(Array(11).fill(0))
    const doubled = waits[41]! / waits[31]!
    expect(doubled).toBeGreaterThan(1.7)
    expect(doubled).toBeLessThan(2.3)
    expect(Math.max(...waits)).toBe(5000)
    expect(waits.reduce((sum, wait) => sum + wait)).toBeGreaterThan(60_000)
  })

  it('accepts the correct password within 5 s after a hundred wrong ones', async () => {
    const { limiter, timed } = withClock()
    for (let i = 0; i < 100; i++) await timed(limiter.check(ann, wrong))
    const { result, tookMs } = await timed(limiter.check(ann, right))
    expect(result).toBe('right')
    expect(tookMs).toBeLessThanOrEqual(5010)
  })

  it('allows as many guesses by two servers as by one', async () => {
    const guessesWithin = async (servers: 1 | 2) => {
      const clock = new TestClock()
      const limiters: LoginLimiter[] = []
      for (let at = 0; at < servers; at++) {
        const onCount = (count: LimitCount) => {
          for (const [index, limiter] of limiters.entries()) if (index !== at) limiter.learn(count)
        }
        limiters.push(new LoginLimiter({ clock, servers: () => servers, onCount }))
      }
      let guesses = 0
      const guess = async (limiter: LoginLimiter): Promise<void> => {
        await limiter.check(ann, wrong)
        guesses++
        await guess(limiter)
      }
      for (const limiter of limiters) for (let at = 0; at < 2; at++) void guess(limiter)
      for (let at = 0; at < 6000; at++) await clock.advance(100)
      return guesses
    }
    const one = await guessesWithin(1)
    expect(one).toBeGreaterThan(100)
    expect(await guessesWithin(2)).toBeLessThan(one + 10)
  })

  it('knows a client that has logged in at another server', async () => {
    const { limiter, timed, clock } = withClock()
    await new LoginLimiter({ clock, onCount: (count) => limiter.learn(count) }).check(ann, right)
    for (let i = 0; i < 60; i++) await timed(limiter.check({ ...ann, client: 'guesser' }, wrong))
    expect((await timed(limiter.check(ann, right))).tookMs).toBe(0)
  })

  it('does not delay the same account from another network, or another account', async () => {
    const { limiter, timed } = withClock()
    for (let i = 0; i < 60; i++) await timed(limiter.check(ann, wrong))
    expect((await timed(limiter.check({ ...ann, address: '192.0.2.2' }, right))).tookMs).toBe(0)
    expect((await timed(limiter.check({ ...ann, account: 'user:bob' }, right))).tookMs).toBe(0)
  })

  it('delays a network after a hundred wrong passwords for different names, by up to 1 s', async () => {
    const { limiter, timed } = withClock()
    const guess = (i: number) => timed(limiter.check({ ...ann, account: `user:u${i}` }, wrong))
    for (let i = 0; i < 300; i++) await guess(i)
    const { tookMs } = await timed(limiter.check(ann, right))
    expect(tookMs).toBeGreaterThan(200)
    expect(tookMs).toBeLessThanOrEqual(1010)
    expect((await timed(limiter.check({ ...ann, address: '192.0.2.2' }, right))).tookMs).toBe(0)
  })

  it('does not delay a known client of an account, whatever other clients guess from its network', async () => {
    const { limiter, timed } = withClock()
    const familiar = { ...ann, client: 'filejobs' }
    await timed(limiter.check(familiar, right))
    for (let i = 0; i < 60; i++) await timed(limiter.check(ann, wrong))
    for (let i = 0; i < 200; i++) await timed(limiter.check({ ...ann, account: `user:u${i}` }, wrong))
    expect(await timed(limiter.check(familiar, right))).toEqual({ result: 'right', tookMs: 0 })
    expect((await timed(limiter.check(ann, right))).tookMs).toBeGreaterThan(0)
    for (let i = 0; i < 60; i++) await timed(limiter.check(familiar, wrong))
    expect((await timed(limiter.check(familiar, right))).tookMs).toBeGreaterThan(0)
  })

  it('lets an attempt wait for up to 15 s, even if attempts ahead of it increase the delay', async () => {
    const { limiter, timed, clock } = withClock()
    for (let i = 0; i < 40; i++) await timed(limiter.check(ann, wrong))
    const start = clock.monotonicMs()
    const waits: number[] = []
    const burst = Array.from({ length: 50 }, async () => {
      await limiter.check(ann, wrong)
      waits.push(clock.monotonicMs() - start)
    })
    await timed(Promise.allSettled(burst))
    expect(waits.length).toBeGreaterThan(10)
    expect(Math.max(...waits)).toBeLessThanOrEqual(15_000)
  })

  it('forgets wrong passwords steadily, ten a minute', async () => {
    const { limiter, timed, clock } = withClock()
    for (let i = 0; i < 20; i++) await timed(limiter.check(ann, wrong))
    clock.skip(120_000)
    for (let i = 0; i < 10; i++) await timed(limiter.check(ann, wrong))
    expect((await timed(limiter.check(ann, right))).tookMs).toBe(0)
  })

  it('counts six correct passwords as one wrong one, and ignores checks that failed to run', async () => {
    const { limiter, timed } = withClock()
    const broken = async () => Promise.reject(new Error('busy'))
    for (let i = 0; i < 60; i++) {
      expect((await timed(limiter.check(ann, right))).tookMs).toBe(0)
      await expect(timed(limiter.check(ann, broken))).rejects.toThrow('busy')
    }
    const more: number[] = []
    for (let i = 0; i < 60; i++) more.push((await timed(limiter.check(ann, right))).tookMs)
    expect(more.at(-1)).toBeGreaterThanOrEqual(10)
  })

  it('allows a concurrent burst no more guesses than a sequence before the first delay', async () => {
    const limiter = new LoginLimiter({ clock: systemClock })
    let underWay = 0
    let most = 0
    const count = async () => {
      underWay++
      most = Math.max(most, underWay)
      await new Promise(setImmediate)
      underWay--
      return { wrong: true, result: null }
    }
    await Promise.all(Array.from({ length: 30 }, () => limiter.check(ann, count)))
    expect(most).toBe(10)
  })

  it('does not delay a burst of correct passwords', async () => {
    const limiter = new LoginLimiter({ clock: systemClock })
    const slowly = async () => {
      await new Promise(setImmediate)
      return right()
    }
    const burst = Array.from({ length: 40 }, () => limiter.check(ann, slowly))
    expect(new Set(await Promise.all(burst))).toEqual(new Set(['right']))
  })

  it('rejects with a retry delay if the queue is full or the delay would exceed 10 s', async () => {
    const few = new LoginLimiter({ clock: systemClock, maxWaiting: 5 })
    const slowly = async () => {
      await new Promise(setImmediate)
      return right()
    }
    const burst = Array.from({ length: 20 }, () => few.check(ann, slowly))
    const refused = (await Promise.allSettled(burst)).filter((result) => result.status === 'rejected')
    expect(refused.map(({ reason }) => reason.code)).toEqual(Array(5).fill('too-many-attempts'))

    const { limiter, timed } = withClock()
    for (let i = 0; i < 110; i++) await timed(limiter.check(ann, wrong))
    const waiting = [limiter.check(ann, wrong), limiter.check(ann, wrong)]
    await expect(limiter.check(ann, right)).rejects.toMatchObject({
      code: 'too-many-attempts',
      details: { retryAfter: expect.any(Number) },
    })
    for (const attempt of waiting) await timed(attempt)
    expect((await timed(limiter.check(ann, right))).result).toBe('right')
  })

  it('drops a waiting attempt whose client disconnects', async () => {
    const limiter = new LoginLimiter({ clock: systemClock, perAccount: 1 })
    const controller = new AbortController()
    let release = () => {}
    const first = limiter.check(ann, async () => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return right()
    })
    const second = limiter.check({ ...ann, signal: controller.signal }, right)
    controller.abort(new Error('gone'))
    await expect(second).rejects.toThrow('gone')
    release()
    expect(await first).toBe('right')
  })

  it('counts an IPv6 network as one address, and a mapped IPv4 address as IPv4', async () => {
    const { limiter, timed } = withClock()
    for (let i = 0; i < 40; i++) await timed(limiter.check({ ...ann, address: `2001:db8:0:7::${i + 1}` }, wrong))
    expect((await timed(limiter.check({ ...ann, address: '2001:DB8::7:1:2:3:4' }, right))).tookMs).toBeGreaterThan(0)
    expect((await timed(limiter.check({ ...ann, address: '2001:db8:0:8::1' }, right))).tookMs).toBe(0)
    for (let i = 0; i < 40; i++) await timed(limiter.check({ ...ann, address: '::ffff:192.0.2.1' }, wrong))
    expect((await timed(limiter.check(ann, right))).tookMs).toBeGreaterThan(0)
  })

  it('limits the number of entries that it remembers', async () => {
    const { limiter, timed } = withClock({ maxKeys: 20 })
    for (let i = 0; i < 40; i++) await timed(limiter.check(ann, wrong))
    await timed(limiter.check(ann, right))
    for (let i = 0; i < 30; i++) await timed(limiter.check({ ...ann, address: `198.51.100.${i}` }, wrong))
    await timed(limiter.check(ann, wrong))
    expect((await timed(limiter.check(ann, right))).tookMs).toBe(0)
  })
})
