import type { Clock } from '../clock.js'
import type { Bus } from '../stores/bus.js'
import type { AccountThrottles } from './account-throttles.js'
import { catchUpMs } from './throttle.js'

export interface RateSharesOptions {
  bus: Bus
  clock: Clock
}

/**
 * Divides the rate limit of an account evenly between the servers that move its bytes at the moment, this one included. A
 * server that begins takes its share at once, the others hear of it. It keeps its share until its limit would let as much pass at
 * once as after a long time, so that short transfers that alternate between servers are limited together. Returns a function
 * that ends it.
 */
export function shareRates(throttles: AccountThrottles, { bus, clock }: RateSharesOptions): () => void {
  /** The accounts whose bytes move here. */
  const own = new Map<string, { bookedAt: number; toldAt: number }>()
  /** Until when other servers move bytes of an account if they tell nothing more, by their numbers. */
  const others = new Map<string, Map<number, number>>()

  throttles.observe((account) => {
    const now = clock.monotonicMs()
    const known = own.get(account)
    if (known) {
      known.bookedAt = now
      return
    }
    own.set(account, { bookedAt: now, toldAt: now })
    bus.tell('all', { moving: [account] })
  })

  bus.onMessage((message, from) => {
    if ('moving' in message) for (const account of message.moving) begin(account, from)
    if ('moved' in message) end(message.moved, from)
  })

  function begin(account: string, server: number): void {
    const servers = others.get(account) ?? new Map<number, number>()
    others.set(account, servers.set(server, clock.monotonicMs() + silenceMs))
    throttles.of(account).servers = servers.size + 1
  }

  function end(account: string, server: number): void {
    const servers = others.get(account)
    if (!servers?.delete(server)) return
    throttles.of(account).servers = servers.size + 1
    if (servers.size === 0) others.delete(account)
  }

  function tick(): void {
    const now = clock.monotonicMs()
    const repeated: string[] = []
    for (const [account, times] of own) {
      if (now - times.bookedAt >= catchUpMs && !throttles.of(account).isAhead) {
        own.delete(account)
        bus.tell('all', { moved: account })
      } else if (now - times.toldAt >= repeatMs) {
        times.toldAt = now
        repeated.push(account)
      }
    }
    for (let at = 0; at < repeated.length; at += perMessage) {
      bus.tell('all', { moving: repeated.slice(at, at + perMessage) })
    }
    for (const [account, servers] of others) {
      for (const [server, until] of servers) if (until < now) end(account, server)
    }
  }

  return clock.every(tickMs, tick)
}

const tickMs = 50
/** Messages may be lost, and servers that start later have not heard the first one. */
const repeatMs = 1000
/** Longer than a server may continue without the database, which delivers the messages. */
const silenceMs = 6000
const perMessage = 25
