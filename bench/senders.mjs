import { join } from 'node:path'
import { root } from './lab.mjs'

/** Starts `count` uploads of `bytesPerSecond` each, and comes back once all are running. */
export async function startSenders(lab, server, count, bytesPerSecond, prefix = 'slow') {
  const args = [join(root, 'bench/slow-senders.mjs'), server.url, server.token, count, bytesPerSecond, prefix].map(
    String,
  )
  const { child } = await lab.startAndRead(process.execPath, args)
  await until(`${count} uploads run`, async () => {
    const { jobs } = await server.call('/jobs?state=running&kind=upload&limit=1000')
    return jobs.length >= Math.min(count, 1000)
  })
  return child
}

/** Asks until the condition holds; throws after `limitMs` or somewhat more, saying which did not. */
export async function until(label, condition, limitMs = 30_000) {
  for (let attempt = 0; attempt * 10 < limitMs; attempt += 1) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`Waited in vain until ${label}.`)
}
