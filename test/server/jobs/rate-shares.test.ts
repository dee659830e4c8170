import { describe, expect, it } from 'vitest'
import { AccountThrottles } from '../../../dist/server/jobs/account-throttles.js'
import { shareRates } from '../../../dist/server/jobs/rate-shares.js'
import type { Bus, BusMessage } from '../../../dist/server/stores/bus.js'
import { TestClock } from '../../helpers/test-clock.js'

const limit = 1000

describe('the rate limit of an account on several servers', () => {
  it('is divided between those that move its bytes', async () => {
    const { clock, servers, move } = open(3)
    expect(await move(servers, 10_000)).toBeLessThan(1.1 * 10 * limit)
    await clock.advance(1000)
    const alone = await move(servers.slice(0, 1), 10_000)
    expect(alone).toBeGreaterThan(0.95 * 10 * limit)
    expect(alone).toBeLessThan(1.1 * 10 * limit)
  })

  it('is divided although each chunk takes a second', async () => {
    const { servers, move } = open(2)
    expect(await move(servers, 20_000, limit)).toBeLessThan(1.15 * 20 * limit)
  })

  it('holds for short transfers that alternate between them', async () => {
    const { clock, servers, pass } = open(4)
    const from = clock.monotonicMs()
    // Each server alone would let as many pass.
    for (let n = 0; n < 100; n++) {
      await pass(servers[n % 4]!, 200)
      await clock.advance(100)
    }
    expect(clock.monotonicMs() - from).toBeGreaterThan(0.85 * ((100 * 200 * 1000) / limit))
  })

  it('is divided within a second although the first messages were lost, and until a silent server counts as dead', async () => {
    const { clock, servers, move, network } = open(2)
    network.isCut = true
    const cut = move(servers, 500)
    await cut
    network.isCut = false
    await move(servers, 1000)
    expect(await move(servers, 5000)).toBeLessThan(1.1 * 5 * limit)
    network.isCut = true
    expect(await move(servers, 4500)).toBeLessThan(1.1 * 4.5 * limit)
    await move(servers.slice(0, 1), 2000)
    await clock.advance(100)
    expect(await move(servers.slice(0, 1), 5000)).toBeGreaterThan(0.95 * 5 * limit)
  })
})

/** Servers whose messages take 10 ms. */
function open(count: number) {
  const clock = new TestClock()
  const network = { isCut: false }
  const listeners: ((message: BusMessage, from: number) => void)[] = []
  const busOf = (from: number): Bus => ({
    tell(_, message) {
      if (network.isCut) return
      clock.after(10, () => {
        for (const [to, listener] of listeners.entries()) if (to !== from) listener(message, from)
      })
    },
    onMessage(listener) {
      listeners[from] = listener
      return () => {}
    },
    onGap: () => () => {},
  })
  const servers = Array.from({ length: count }, (_, server) => {
    const throttles = new AccountThrottles(limit, clock)
    shareRates(throttles, { bus: busOf(server), clock })
    return throttles.of('user:ann')
  })
  type Server = (typeof servers)[number]

  async function pass(server: Server, bytes: number): Promise<void> {
    await clock.advance(server.book(bytes).waitMs)
  }

  /** The bytes that servers move in that time, each as fast as it may. */
  async function move(moving: Server[], forMs: number, chunk = 50): Promise<number> {
    const until = clock.monotonicMs() + forMs
    let bytes = 0
    const next = (server: Server) => {
      clock.after(server.book(chunk).waitMs, () => {
        if (clock.monotonicMs() >= until) return
        bytes += chunk
        next(server)
      })
    }
    for (const server of moving) next(server)
    await clock.advance(forMs)
    return bytes
  }

  return { clock, servers, network, pass, move }
}
