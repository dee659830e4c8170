import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { until } from './senders.mjs'
import { sharedNow } from './shared-clock.mjs'

const mebibyte = 1024 ** 2

/**
 * Starts an upload, lets some bytes arrive, and stops it through the server `through`. Gives the path of the stop, and when it was
 * asked for and its receipt was there, by `sharedNow`. Throws if the receipt says that something is left.
 */
export async function stopOne(server, agent, name, through = server) {
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
    const { json: receipt, asked, received } = await call(through, agent, 'POST', path)
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
