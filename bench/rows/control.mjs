import { Agent } from 'node:http'
import { percentile, spread } from '../lines.mjs'
import { watchLoad } from '../processes.mjs'
import { startSenders } from '../senders.mjs'
import { startTimed } from '../server-times.mjs'
import { stopOne } from '../stops.mjs'

const mebibyte = 1024 ** 2

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  stopAmong('stop', { others: 200, atMost: 30, stopsOfPair: 10 }),
  stopAmong('stop-20', { others: 20, atMost: 10, stopsOfPair: 40 }),
]

/**
 * Stops of an upload while `others` run; `atMost`: milliseconds of the slowest of a hundred. One side of a pair makes fewer stops,
 * which are taken together over all pairs. The detail has the time without the client, which runs on the same cores: from when it
 * writes the request until the server has written the answer.
 */
function stopAmong(name, { others, atMost, stopsOfPair }) {
  return {
    name,
    work: `stop of an upload while ${others} others run at 1 MiB/s each, from the request to the receipt (p99 of 100)`,
    atMost,
    unit: 'ms',
    async measure(lab, _, { isPaired = false } = {}) {
      const { server, times: timesAtServer } = await startTimed(lab, '/stop', { flags: ['--jobs-per-account', '1000'] })
      await startSenders(lab, server, others, mebibyte)
      const agent = new Agent({ keepAlive: true })
      const stops = []
      const load = watchLoad()
      const count = isPaired ? stopsOfPair : 100
      for (let index = 0; index < count; index += 1) stops.push(await stopOne(server, agent, `stopped-${index}`))
      const busy = load()
      agent.destroy()
      const atServer = await timesAtServer()
      const times = stops.map(({ asked, received }) => received - asked)
      const served = stops.map(({ path, asked }) => atServer[path].written - asked)
      return {
        figure: percentile(times, 99),
        detail: `${spread(times)} ms; server: ${spread(served)} ms; ${busy}`,
        times,
      }
    },
  }
}
