import { describe, expect, it, onTestFinished } from 'vitest'
import { openRedirect, type RedirectOptions } from '../../../dist/server/redirect-http.js'
import { Caller } from '../../helpers/calls.js'
import { makeCertificate } from '../../helpers/certificate.js'
import { connectTo } from '../../helpers/raw-connection.js'
import { startTestServer } from '../../helpers/server.js'
import { hasProgram } from '../../helpers/system-programs.js'

async function open(changes: Partial<RedirectOptions> = {}) {
  const options = { host: '127.0.0.1', port: 0, httpsPort: 8443, publicUrl: null, descriptors: 256 }
  const redirect = await openRedirect({ ...options, ...changes })
  onTestFinished(() => redirect.close())
  return new Caller({ url: `http://127.0.0.1:${redirect.port}` }, '')
}

describe('the redirect to https', () => {
  it('keeps the method, the path and the query', async () => {
    const plain = await open()
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await plain.call('/files/a%20b/?q=1&r=%2F', { method })
      expect([status, headers.location]).toEqual([308, 'https://127.0.0.1:8443/files/a%20b/?q=1&r=%2F'])
      expect(headers).not.toHaveProperty('strict-transport-security')
    }
  })

  it.each([
    ['localhost:80', {}, 'https://localhost:8443/a'],
    ['localhost', { httpsPort: 443 }, 'https://localhost/a'],
    ['[::1]:80', {}, 'https://[::1]:8443/a'],
    ['files.example.org', { publicUrl: 'https://files.example.org' }, 'https://files.example.org/a'],
    ['127.0.0.1', { publicUrl: 'https://files.example.org/x' }, 'https://files.example.org/x/a'],
    ['other.example', { host: '0.0.0.0' }, 'https://other.example:8443/a'],
    ['other.example', { host: '0.0.0.0', publicUrl: 'https://files.example.org' }, 'https://files.example.org/a'],
  ])('of the host %s with %j leads to the right one', async (Host, changes, location) => {
    const { status, headers } = await (await open(changes)).call('/a', { headers: { Host } })
    expect([status, headers.location]).toEqual([308, location])
  })

  it.each([
    ['another host on a loopback address', { Host: 'evil.example' }, {}, 403, 'host-not-allowed'],
    ['a Host that is none', { Host: 'evil.example\\@files.example' }, { host: '0.0.0.0' }, 400, 'invalid-request'],
  ])('is refused for %s', async (_, headers, changes, status, code) => {
    const answer = await (await open(changes)).call('/a', { headers })
    expect([answer.status, answer.json.code]).toEqual([status, code])
    expect(answer.headers).not.toHaveProperty('location')
  })

  it('checks the host of an absolute target, which replaces Host', async () => {
    const plain = await open()
    const foreign = await plain.call('http://evil.example/a', { headers: { Host: '127.0.0.1' } })
    expect([foreign.status, foreign.json.code]).toEqual([403, 'host-not-allowed'])
    const own = await plain.call('http://localhost?q=1', { headers: { Host: '127.0.0.1' } })
    expect(own.headers.location).toBe('https://localhost:8443/?q=1')
  })

  it('is answered before a body is sent', async () => {
    const plain = await open()
    const connection = await connectTo(plain.url)
    connection.send('PUT /a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n')
    await connection.says(/^HTTP\/1.1 308 [\s\S]*\r\n\r\n/)
  })

  it('is refused without a Host, whose place nothing takes', async () => {
    const connection = await connectTo((await open({ host: '0.0.0.0' })).url)
    connection.send('GET /a HTTP/1.0\r\n\r\n')
    await connection.says(/^HTTP\/1.1 400 [\s\S]*"code":"invalid-request"/)
  })

  it('names its own option where the port is taken', async () => {
    const plain = await open()
    const port = Number(new URL(plain.url).port)
    await expect(open({ port })).rejects.toThrow(/choose another port with --redirect-http/)
  })
})

it.skipIf(!hasProgram('openssl'))('a server with --redirect-http redirects to itself until it is closed', async () => {
  const server = await startTestServer({ tls: makeCertificate(), redirectHttpPort: 0 })
  const plain = new Caller({ url: server.redirectUrl! }, '')
  const { headers } = await plain.call('/healthz')
  expect(headers.location).toBe(`${server.url}/healthz`)
  await server.close()
  await expect(plain.call('/healthz')).rejects.toThrow(/ECONNREFUSED/)
})
