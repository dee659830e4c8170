import http from 'node:http'
import net, { type AddressInfo, type Server } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectionLimits, limitConnections } from '../../../dist/server/http/connection-limits.js'
import { openListener } from '../../../dist/server/http/listener.js'
import { makeCertificate } from '../../helpers/certificate.js'
import { eventually } from '../../helpers/eventually.js'
import { connectTo, head } from '../../helpers/raw-connection.js'
import { hasProgram } from '../../helpers/system-programs.js'

const errors: Error[] = []
const listening = {
  host: '127.0.0.1',
  port: 0,
  tls: null,
  // Room for 8 connections.
  descriptors: 72,
  trustProxy: 0,
  fetch: () => new Response('hello'),
  onError: (error: Error) => void errors.push(error),
}

async function open(changes: Partial<Parameters<typeof openListener>[0]> = {}) {
  const listener = await openListener({ ...listening, ...changes })
  onTestFinished(() => listener.close())
  return `${changes.tls ? 'https' : 'http'}://127.0.0.1:${listener.port}`
}

describe('connections are limited', () => {
  it.each([
    [1024, 768, 192],
    [65_536, 49_152, 256],
    [256, 192, 48],
    [64, 8, 4],
  ])('of %i descriptors to %i in all and %i from one network', (descriptors, all, perNetwork) => {
    expect(connectionLimits(descriptors)).toMatchObject({ all, perNetwork })
  })

  it('in all: those without a request are closed first, and the next request is served', async () => {
    const url = await open()
    const silent = []
    for (let count = 0; count < 20; count++) silent.push(await connectTo(url))
    const talking = await connectTo(url)
    talking.send(head('GET /', null))
    await talking.says(/hello$/)
    await silent[0]!.ended()
    expect(errors).toEqual([])
  })

  it('in all: one more is closed at once if all others have sent a request', async () => {
    let asked = 0
    const answer = new Promise<Response>(() => {})
    const fetch = () => {
      asked++
      return answer as never
    }
    const url = await open({ fetch, firstByteMs: 600_000 })
    for (let count = 1; count <= 8; count++) {
      const connection = await connectTo(url)
      connection.send(head('GET /', null))
      await eventually('it has been read', () => asked === count)
    }
    await (await connectTo(url)).ended()
  })

  it('in idle time, also after a TLS handshake', async () => {
    const tls = hasProgram('openssl') ? [null, makeCertificate()] : [null]
    for (const certificate of tls) {
      const url = await open({ firstByteMs: 200, tls: certificate })
      const silent = await connectTo(url)
      const talking = await connectTo(url)
      talking.send('GET / HTTP/1.1\r\n')
      await silent.ended()
      talking.send('Host: 127.0.0.1\r\n\r\n')
      await talking.says(/hello$/)
    }
  })
})

describe('connections from one network', () => {
  /** A server that takes its connections for those of these addresses, in turn. */
  async function listenAs(addresses: string[], trustProxy = 0): Promise<{ port: number; open(): number }> {
    const server = http.createServer()
    const connections = limitConnections(server, { descriptors: 72, trustProxy })
    let count = 0
    const front: Server = net.createServer((socket) => {
      Object.defineProperty(socket, 'remoteAddress', { value: addresses[count++ % addresses.length] })
      server.emit('connection', socket)
    })
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void front.close())
    return { port: (front.address() as AddressInfo).port, open: () => connections.open.size }
  }

  it.each([
    ['are limited', ['203.0.113.7'], 0, 4],
    ['are limited by the /64 of IPv6', ['2001:db8::1', '2001:db8::2'], 0, 4],
    ['do not limit those of another', ['203.0.113.7', '203.0.113.8', '203.0.113.8'], 0, 7],
    ['are not limited on loopback', ['127.0.0.1', '::1', '::ffff:127.0.0.1'], 0, 7],
    ['are not limited where proxies are trusted', ['203.0.113.7'], 1, 7],
  ])('%s', async (_what, addresses, trustProxy, expected) => {
    const { port, open: count } = await listenAs(addresses, trustProxy)
    const opened: Awaited<ReturnType<typeof connectTo>>[] = []
    for (let n = 0; n < 7; n++) opened.push(await connectTo(`http://127.0.0.1:${port}`))
    await eventually(`${expected} are open`, () => count() === expected)
    if (expected < 7) await Promise.any(opened.map((connection) => connection.ended()))
  })
})
