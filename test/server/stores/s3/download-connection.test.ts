import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net, { type AddressInfo, type Socket } from 'node:net'
import tls from 'node:tls'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { DownloadConnections } from '../../../../dist/server/stores/s3/download-connections.js'
import { makeCertificate } from '../../../helpers/certificate.js'
import { hasProgram } from '../../../helpers/system-programs.js'

const noOpenssl = !hasProgram('openssl')
const request = 'GET / HTTP/1.1\r\n\r\n'
const headOf = (length: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`

/** A server that does what the test says with each request. */
async function startServer(
  answer: (socket: Socket, text: string) => void,
  certificate?: { certFile: string; keyFile: string },
) {
  const sockets: Socket[] = []
  const onConnection = (socket: Socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (text) => answer(socket, String(text)))
  }
  const server = certificate
    ? tls.createServer(
        { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) },
        onConnection,
      )
    : net.createServer(onConnection)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = new URL(`${certificate ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const connections = new DownloadConnections({ origin, idleMs: 60_000 })
  onTestFinished(() => {
    connections.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { connections, sockets }
}

async function get(connections: DownloadConnections, bytes: number) {
  const connection = connections.take(false)
  await connection.send(request)
  const target = Buffer.alloc(bytes)
  return String(target.subarray(0, await connection.read(target)))
}

describe('a connection for downloads', () => {
  it('reads a response in steps, whatever pieces it arrives in', async () => {
    const content = Buffer.alloc(300_000, '0123456789')
    const { connections } = await startServer(async (socket) => {
      const bytes = Buffer.concat([Buffer.from(headOf(content.length)), content])
      for (let at = 0; at < bytes.length; ) {
        const piece = bytes.subarray(at, at + (at < 60 ? 7 : 50_000))
        await new Promise((resolve) => socket.write(piece, resolve))
        at += piece.length
      }
    })
    for (const step of [content.length, 100, 70_000, 2 ** 20]) {
      const connection = connections.take(false)
      expect(await connection.send(request)).toMatchObject({ status: 200, length: content.length })
      const parts: Buffer[] = []
      for (let left = content.length; left > 0; ) {
        const target = Buffer.alloc(step)
        const length = await connection.read(target)
        expect(length).toBe(Math.min(step, left))
        parts.push(target.subarray(0, length))
        left -= length
      }
      expect(Buffer.concat(parts).equals(content)).toBe(true)
    }
  })

  it('serves one response after the other, until the server closes it', async () => {
    const { connections, sockets } = await startServer((socket) => socket.write(`${headOf(3)}abc`))
    for (let round = 0; round < 3; round++) expect(await get(connections, 10)).toBe('abc')
    expect(sockets).toHaveLength(1)
    sockets[0]!.end()
    await once(sockets[0]!, 'close')
    expect(await get(connections, 10)).toBe('abc')
    expect(sockets).toHaveLength(2)
  })

  it('serves no other response after one that closes it, or has no length', async () => {
    const heads = ['HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3', 'HTTP/1.0 200 OK\r\nContent-Length: 3']
    const { connections, sockets } = await startServer((socket) => socket.write(`${heads.shift()}\r\n\r\nabc`))
    expect([await get(connections, 3), await get(connections, 3)]).toEqual(['abc', 'abc'])
    expect(sockets).toHaveLength(2)
  })

  it('fails where a response breaks off, has more bytes than announced, or is none', async () => {
    const broken = ['', headOf(9), `${headOf(2)}abc`, 'HTTP/2 200\r\n\r\n', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n']
    const malformed = 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'
    for (const text of [...broken, malformed, `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`]) {
      const { connections } = await startServer((socket) => socket.end(text))
      await expect(get(connections, 9)).rejects.toThrow()
    }
  })

  it('fails if more bytes follow a response', async () => {
    const { connections, sockets } = await startServer((socket) => socket.write(`${headOf(3)}abc`))
    const connection = connections.take(false)
    await connection.send(request)
    await connection.read(Buffer.alloc(3))
    sockets[0]!.write('more')
    await once(sockets[0]!, 'close')
    await expect(connection.send(request)).rejects.toThrow('more than it announced')
  })

  it('writes to no buffer after it was closed', async () => {
    const { connections, sockets } = await startServer((socket) => socket.write(headOf(10)))
    const connection = connections.take(false)
    await connection.send(request)
    const target = Buffer.alloc(10)
    const reading = connection.read(target)
    connection.close(new Error('closed by its reader'))
    sockets[0]!.write('0123456789')
    await expect(reading).rejects.toThrow('closed by its reader')
    await expect(connection.read(target)).rejects.toThrow('closed by its reader')
    await once(sockets[0]!, 'close')
    expect(target.equals(Buffer.alloc(10))).toBe(true)
  })

  it.skipIf(noOpenssl)('is encrypted for https, with a certificate that is trusted', async () => {
    const content = Buffer.alloc(2 ** 20, '0123456789')
    const answer = (socket: Socket) => {
      socket.write(headOf(content.length))
      socket.write(content)
    }
    const { connections, sockets } = await startServer(answer, makeCertificate())
    await expect(get(connections, 1)).rejects.toThrow('self-signed certificate')
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    for (let round = 0; round < 2; round++) {
      expect(await get(connections, content.length)).toBe(String(content))
    }
    expect(sockets).toHaveLength(1)
  })
})
