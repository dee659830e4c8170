import { once } from 'node:events'
import { get } from 'node:http'
import { createInterface } from 'node:readline'
import { until } from './senders.mjs'

/** Opens an event stream, and comes back once its snapshots are there. */
export async function openEvents(server, token, query = '') {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/x-ndjson' }
  const [response] = await once(get(`${server.url}/jobs/events${query}`, { headers, agent: false }), 'response')
  let count = 0
  let isComplete = false
  const expected = new Set()
  createInterface(response).on('line', (line) => {
    const heardAt = performance.now()
    count += 1
    // Thousands a second, of which none is looked at.
    if (isComplete && expected.size === 0) return
    const event = JSON.parse(line)
    if (event.event !== 'snapshot') isComplete = true
    for (const each of expected) if (each.matches(event)) each.resolve(heardAt)
  })
  await until('the snapshots are there', () => isComplete)
  return {
    count: () => count,
    /** When the next event was heard that matches. */
    async next(matches) {
      const heard = new Promise((resolve) => expected.add({ matches, resolve }))
      return heard.finally(() => expected.clear())
    },
    close: () => response.destroy(),
  }
}
