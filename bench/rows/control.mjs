import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { cpus } from 'node:os'
import { text } from 'node:stream/consumers'
import { percentile, spread } from '../lines.mjs'
import { startSenders, until } from '../senders.mjs'
import { startTimed } from '../server-times.mjs'
import { sharedNow } from '../shared-clock.mjs'

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

/** Returns what says how busy the machine was since: its cores, of all that it has. */
function watchLoad() {
  const before = cpuTimes()
  return () => {
    const after = cpuTimes()
    const share = (after.busy - before.busy) / (after.all - before.all)
    return `${(share * cpus().length).toFixed(1)} of ${cpus().length} cores busy`
  }
}

function cpuTimes() {
  const times = cpus().flatMap((cpu) => Object.entries(cpu.times))
  const sum = (entries) => entries.reduce((total, [, ms]) => total + ms, 0)
  return { all: sum(times), busy: sum(times.filter(([kind]) => kind !== 'idle')) }
}

/** Starts an upload, lets some bytes arrive, and stops it. */
async function stopOne(server, agent, name) {
  const { hostname, port } = new URL(server.url)
  const id = crypto.randomUUID()
  const socket = connect({ host: hostname, port: Number(port) })
  // The stopped sender's end is not what is measured here.
  socket.on('error', () => {})
  socket.resume()
  socket.write(
    `PUT /files/${name} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${server.token}\r\n` +
      `Content-Length: ${64 * mebibyte}\r\nFilejobs-Job: ${id}\r\n\r\n`,
  )
  socket.write(Buffer.alloc(mebibyte))
  try {
    await until('the upload has bytes', async () => (await call(server, agent, 'GET', `/jobs/${id}`)).json?.bytes > 0)
    const path = `/jobs/${id}/stop`
    const { json: receipt, asked, received } = await call(server, agent, 'POST', path)
    if (!receipt?.cleanedUp) throw new Error(`The receipt says that something is left: ${JSON.stringify(receipt)}`)
    return { path, asked, received }
  } finally {
    socket.destroy()
  }
}

/** One request on the connection that is kept; `json` is undefined unless the answer is 200. */
async function call(server, agent, method, path) {
  const headers = { authorization: `Bearer ${server.token}` }
  const asked = sharedNow()
  const asking = request(server.url + path, { method, agent, headers }).end()
  const [response] = await once(asking, 'response')
  const body = await text(response)
  const received = sharedNow()
  return { json: response.statusCode === 200 ? JSON.parse(body) : undefined, asked, received }
}
