import { join } from 'node:path'
import { root } from './lab.mjs'

/** Starts `count` uploads of `bytesPerSecond` each, and comes back once all are running. */
export async function startSenders(lab, server, count, bytesPerSecond) {
  const child = await send(lab, server, [server.token], count, bytesPerSecond)
  await until(`${count} uploads run`, async () => {
    const { jobs } = await server.call(running)
    return jobs.length >= Math.min(count, 1000)
  })
  return child
}

/** The same at each of servers that share their accounts, for many accounts, of whose `tokens` each sends as many. */
export async function startSendersAt(lab, servers, tokens, countEach, bytesPerSecond) {
  await Promise.all(
    servers.map((server, index) => send(lab, server, tokens, countEach, bytesPerSecond, `slow-${index}`)),
  )
  const count = countEach * servers.length
  await until(
    `${count} uploads run`,
    async () => {
      const found = await Promise.all(
        tokens.map((token) => servers[0].call(running, { headers: { authorization: `Bearer ${token}` } })),
      )
      return found.reduce((sum, { jobs }) => sum + jobs.length, 0) >= count
    },
    60_000,
  )
}

async function send(lab, server, tokens, count, bytesPerSecond, prefix = 'slow') {
  const args = [join(root, 'bench/slow-senders.mjs'), server.url, tokens.join(), count, bytesPerSecond, prefix].map(
    String,
  )
  const { child } = await lab.startAndRead(process.execPath, args)
  return child
}

/** Asks until the condition holds; throws after `limitMs` or one more question, saying which did not. */
export async function until(label, condition, limitMs = 30_000) {
  const endsAt = performance.now() + limitMs
  while (performance.now() < endsAt) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`Waited in vain until ${label}.`)
}

const running = '/jobs?state=running&kind=upload&limit=1000'
