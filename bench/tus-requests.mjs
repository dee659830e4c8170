import { once } from 'node:events'
import { connect } from 'node:net'

const tus = { 'Tus-Resumable': '1.0.0' }

/** Creates an upload named bench.bin and gives its URL. */
export async function createUpload(url, headers, size) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      ...tus,
      ...headers,
      'Upload-Length': String(size),
      'Upload-Metadata': `filename ${Buffer.from('bench.bin').toString('base64')}`,
    },
  })
  const location = response.headers.get('location')
  if (response.status !== 201 || !location) throw new Error(`tus creation: ${response.status} ${await response.text()}`)
  return new URL(location, `${url}/`).href
}

export function bearer(server) {
  return { authorization: `Bearer ${server.token}` }
}

export async function offsetOf(server, path) {
  const response = await fetch(server.url + path, { method: 'HEAD', headers: { ...tus, ...bearer(server) } })
  if (!response.ok) throw new Error(`HEAD ${path}: ${response.status}`)
  return Number(response.headers.get('upload-offset'))
}

/** A PATCH whose body is sent by hand, so that it can be broken anywhere. */
export function startPatch(server, path, offset, size) {
  const { hostname, port } = new URL(server.url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.on('error', () => {})
  socket.write(
    `PATCH ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${server.token}\r\n` +
      'Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n' +
      `Upload-Offset: ${offset}\r\nContent-Length: ${size - offset}\r\n\r\n`,
  )
  const chunk = Buffer.alloc(1024 ** 2, 'filejobs ')
  return {
    socket,
    async send(bytes) {
      for (let sent = 0; sent < bytes; sent += chunk.length) {
        if (!socket.write(chunk.subarray(0, Math.min(chunk.length, bytes - sent)))) await once(socket, 'drain')
      }
    },
  }
}
