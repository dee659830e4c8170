import { connect } from 'node:net'
import { p99, startSenders, until } from '../senders.mjs'
import { startFilejobs } from '../servers.mjs'

const mebibyte = 1024 ** 2

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'stop',
    work: 'stop of an upload while 200 others run at 1 MiB/s each, from the request to the receipt (p99 of 200)',
    atMost: 50,
    unit: 'ms',
    async measure(lab) {
      const server = await startFilejobs(lab, { flags: ['--jobs-per-account', '1000'] })
      await startSenders(lab, server, 200, mebibyte)
      const times = []
      for (let index = 0; index < 200; index += 1) times.push(await stopOne(server, `stopped-${index}`))
      return p99(times)
    },
  },
]

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
