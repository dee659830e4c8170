import { execFile } from 'node:child_process'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openPasswords, type PasswordsOptions } from '../../../dist/server/auth/passwords.js'

describe('password hashing', () => {
  it('verifies a password against its own hash only, case-sensitively', async () => {
    const passwords = open({ cost: 4 })
    const hash = await passwords.hash('pässwörd ✓')
    expect(hash).toMatch(/^\$2b\$04\$/)
    expect(await passwords.verify('pässwörd ✓', hash)).toBe(true)
    expect(await passwords.verify('pässwörd', hash)).toBe(false)
    expect(await passwords.verify('pässwörd ✓', null)).toBe(false)
    expect(await passwords.hash('pässwörd ✓')).not.toBe(hash)
  })

  it('rejects more than 72 bytes, because bcrypt would truncate them', async () => {
    const passwords = open({ cost: 4 })
    await passwords.hash('ä'.repeat(36))
    await expect(passwords.hash('ä'.repeat(37))).rejects.toMatchObject({ code: 'invalid-request' })
  })

  it('queues checks above a limit', async () => {
    const passwords = open({ cost: 4, threads: 1, maxWaiting: 3 })
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => passwords.verify('x', null)))
    expect(results.map((result) => (result.status === 'rejected' ? result.reason.code : 'checked'))).toEqual([
      ...Array(4).fill('checked'),
      ...Array(2).fill('busy'),
    ])
    expect(await passwords.verify('x', null)).toBe(false)
  })

  it('queues checks fairly by network, then by account, whatever the number queued', async () => {
    const passwords = open({ cost: 7, threads: 1 })
    const order: string[] = []
    const check = async (network: string, account: string) => {
      await passwords.verify('x', null, { key: [network, account] })
      order.push(account)
    }
    const greedy = Array.from({ length: 20 }, () => check('192.0.2.1', 'greedy'))
    await Promise.all([...greedy, check('192.0.2.1', 'neighbour'), check('192.0.2.2', 'elsewhere')])
    expect(order.indexOf('elsewhere')).toBeLessThanOrEqual(2)
    expect(order.indexOf('neighbour')).toBeLessThanOrEqual(4)
  })

  it('removes a check from the queue when its client disconnects', async () => {
    const passwords = open({ cost: 8, threads: 1 })
    const controller = new AbortController()
    const first = passwords.verify('x', null)
    const second = passwords.verify('y', null, { signal: controller.signal })
    controller.abort(new Error('gone'))
    await expect(second).rejects.toThrow('gone')
    expect(await first).toBe(false)
  })

  it('takes as long as the configured cost, even if the hash has a lower one or is missing', async () => {
    const cheap = open({ cost: 4, threads: 1 })
    const hash = await cheap.hash('correct horse')
    // The time of the processor, because other programs do not lengthen it.
    const timeOf = async (password: string, of: string | null) => {
      const start = process.cpuUsage()
      await cheap.verify(password, of, { cost: 8 })
      return process.cpuUsage(start).user
    }
    const times = { known: [] as number[], right: [] as number[], unknown: [] as number[] }
    for (let round = 0; round < 5; round++) {
      times.known.push(await timeOf('wrong', hash))
      times.right.push(await timeOf('correct horse', hash))
      times.unknown.push(await timeOf('wrong', null))
    }
    const least = (list: number[]) => Math.min(...list)
    // A check at the hash's own cost takes a 16th of the time.
    expect(least(times.known) / least(times.unknown)).toBeGreaterThan(0.4)
    expect(least(times.right) / least(times.unknown)).toBeGreaterThan(0.4)
    expect(least(times.known) / least(times.unknown)).toBeLessThan(2.5)
  })

  it('rejects with busy while the process has no file descriptor left, and recovers afterwards', async () => {
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      'ulimit -n 128 && exec "$0" "$1"',
      process.execPath,
      fileURLToPath(new URL('../../helpers/passwords-without-descriptors.mjs', import.meta.url)),
    ])
    expect(JSON.parse(stdout)).toEqual({ without: 'busy', again: false })
  })

  it('rejects pending checks with shutting-down when the server closes', async () => {
    const passwords = open({ cost: 10 })
    const checks = Promise.allSettled([passwords.verify('x', null), passwords.verify('y', null)])
    await passwords.close()
    const reasons = (await checks).map((result) => result.status === 'rejected' && result.reason.code)
    expect(reasons).toEqual(['shutting-down', 'shutting-down'])
  })

  it('runs off the main thread', async () => {
    const passwords = open({ cost: 11 })
    await passwords.verify('warm', null)
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    await Promise.all([passwords.verify('x', null), passwords.verify('y', null)])
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
