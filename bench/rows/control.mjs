import { connect } from 'node:net'
import { cpus } from 'node:os'
import { percentile, spread } from '../lines.mjs'
import { startSenders, until } from '../senders.mjs'
import { startFilejobs } from '../servers.mjs'

const mebibyte = 1024 ** 2

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  stopAmong('stop', { others: 200, atMost: 30, stopsOfPair: 10 }),
  stopAmong('stop-20', { others: 20, atMost: 10, stopsOfPair: 40 }),
]

/**
 * Stops of an upload while `others` run; `atMost`: milliseconds of the slowest of a hundred. One side of a pair makes fewer stops,
 * which are taken together over all pairs.
 */
function stopAmong(name, { others, atMost, stopsOfPair }) {
  return {
    name,
    work: `stop of an upload while ${others} others run at 1 MiB/s each, from the request to the receipt (p99 of 100)`,
    atMost,
    unit: 'ms',
    async measure(lab, _, { isPaired = false } = {}) {
      const server = await startFilejobs(lab, { flags: ['--jobs-per-account', '1000'] })
      await startSenders(lab, server, others, mebibyte)
      const times = []
      const load = watchLoad()
      const stops = isPaired ? stopsOfPair : 100
      for (let index = 0; index < stops; index += 1) times.push(await stopOne(server, `stopped-${index}`))
      return { figure: percentile(times, 99), detail: `${spread(times)} ms; ${load()}`, times }
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

/** Starts an upload, lets some bytes arrive, and gives the milliseconds from its stop's request to the receipt. */
async function stopOne(server, name) {
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
    await until('the upload has bytes', async () => (await findJob(server, id))?.bytes > 0)
    const startedAt = performance.now()
    const receipt = await server.call(`/jobs/${id}/stop`, { method: 'POST' })
    const took = performance.now() - startedAt
    if (!receipt.cleanedUp) throw new Error(`The receipt says that something is left: ${JSON.stringify(receipt)}`)
    return took
  } finally {
    socket.destroy()
  }
}

async function findJob(server, id) {
  const response = await fetch(`${server.url}/jobs/${id}`, { headers: { authorization: `Bearer ${server.token}` } })
  return response.ok ? response.json() : undefined
}
