import { describe, expect, it, onTestFinished } from 'vitest'
import type { ServerConfig } from '../../../dist/server/config.js'
import { eventually } from '../../helpers/eventually.js'
import { startTestServer } from '../../helpers/server.js'

const password = 'correct horse'

describe('a flood of logins', () => {
  it('of one account delays another account from the same address by a few checks only', async () => {
    const { attack, timedLogin, logIn } = await open()
    await logIn('greedy', password)
    const flood = attack((signal) => logIn('greedy', password, undefined, signal))
    expect(await timedLogin(flood, 'victim', password)).toEqual({ status: 200, checksBefore: expect.toSatisfy(isFew) })
  })

  it('with wrong passwords for one name delays another name by a few checks only', async () => {
    const { attack, timedLogin, logIn } = await open()
    const flood = attack((signal) => logIn('greedy', 'wrong horse', undefined, signal))
    expect(await timedLogin(flood, 'victim', password)).toEqual({ status: 200, checksBefore: expect.toSatisfy(isFew) })
  })

  it('for many names from one address delays other addresses by a few checks only', async () => {
    const { attack, timedLogin, logIn } = await open({ trustProxy: 1 })
    let names = 0
    const flood = attack((signal) => logIn(`name-${names++}`, 'wrong horse', '192.0.2.1', signal))
    const login = timedLogin(flood, 'victim', password, '192.0.2.2')
    expect(await login).toEqual({ status: 200, checksBefore: expect.toSatisfy(isFew) })
  })

  it('for many names, and for its own, does not delay a client that logged in before from the same address', async () => {
    // Long checks, so that the time of 120 requests at once counts as few of them.
    const { attack, timedLogin, logIn } = await open({ bcryptCost: 10 })
    await logIn('victim', password, undefined, undefined, 'filejobs/1')
    let names = 0
    const flood = attack((signal) => logIn(`name-${names++ % 40}`, 'wrong horse', undefined, signal))
    attack((signal) => logIn('victim', 'wrong horse', undefined, signal))
    const login = timedLogin(flood, 'victim', password, undefined, 'filejobs/1')
    expect(await login).toEqual({ status: 200, checksBefore: expect.toSatisfy(isFew) })
  })

  it('of signups from one address delays its logins by a few checks only', async () => {
    const { attack, timedLogin, signUp } = await open()
    let names = 0
    const flood = attack((signal) => signUp(`new-${names++}`, signal))
    expect(await timedLogin(flood, 'victim', password)).toEqual({ status: 200, checksBefore: expect.toSatisfy(isFew) })
  })

  it('with a hundred wrong passwords from a hundred addresses does not lock out the correct password', async () => {
    const { logIn } = await open({ trustProxy: 1, bcryptCost: 4 })
    const guesses = Array.from({ length: 100 }, (_, i) => logIn('victim', 'wrong horse', `192.0.2.${i}`))
    expect(new Set(await Promise.all(guesses))).toEqual(new Set([401]))
    expect(await logIn('victim', password, '192.0.2.1')).toBe(200)
    expect(await logIn('victim', password, '198.51.100.1')).toBe(200)
  })

  it('leaves nothing in the queue when its clients disconnect', async () => {
    const { server, logIn } = await open()
    const controller = new AbortController()
    const gone = Array.from({ length: 40 }, () => logIn('greedy', 'wrong horse', undefined, controller.signal))
    await Promise.race(gone)
    controller.abort()
    await Promise.allSettled(gone)
    expect(await logIn('victim', password)).toBe(200)
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    const refused = [...metrics.matchAll(/^filejobs_logins_refused_total\{.*\} (\d+)$/gm)].map((match) =>
      Number(match[1]),
    )
    expect(refused).not.toEqual([])
    expect(refused.reduce((sum, count) => sum + count)).toBeLessThan(20)
    expect(server.errors).toEqual([])
  })
})

/** A server with an account "victim", and ways to ask it many times at once. */
async function open(changes: Partial<ServerConfig> = {}) {
  const server = await startTestServer({ bcryptCost: 8, ...changes })
  onTestFinished(() => server.close())
  const send = async (
    path: string,
    username: string,
    word: string,
    address?: string,
    signal?: AbortSignal,
    client = 'flood',
  ) => {
    const answer = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': client,
        ...(address ? { 'X-Forwarded-For': address } : {}),
      },
      body: JSON.stringify({ username, password: word }),
      ...(signal ? { signal } : {}),
    })
    await answer.arrayBuffer()
    return answer.status
  }
  const logIn = (username: string, word: string, address?: string, signal?: AbortSignal, client?: string) =>
    send('/auth/login', username, word, address, signal, client)
  const signUp = (username: string, signal?: AbortSignal) => send('/auth/signup', username, password, undefined, signal)
  await signUp('victim')
  await signUp('greedy')

  /** Sixty loops, each until it is refused without a check; at the test's end they hang up, which leaves no check to wait for. */
  function attack(request: (signal: AbortSignal) => Promise<number>) {
    const flood = { checks: 0 }
    const end = new AbortController()
    const loop = async () => {
      while ((await request(end.signal)) < 429) flood.checks++
    }
    const loops = Array.from({ length: 60 }, () => loop().catch((error) => end.signal.aborted || Promise.reject(error)))
    onTestFinished(async () => {
      end.abort()
      await Promise.all(loops)
    })
    return flood
  }

  /** A login in the middle of a flood, and how many checks of the flood ended before it did. */
  async function timedLogin(
    flood: { checks: number },
    username: string,
    word: string,
    address?: string,
    client?: string,
  ) {
    await eventually('the flood is under way', () => flood.checks >= 3)
    const before = flood.checks
    const status = await logIn(username, word, address, undefined, client)
    return { status, checksBefore: flood.checks - before }
  }
  return { server, logIn, signUp, attack, timedLogin }
}

/**
 * The check that runs, one for each key that waits, and those whose answers arrive late on a busy machine: a line without
 * shares would hold all sixty.
 */
function isFew(checks: number): boolean {
  return checks <= 30
}
