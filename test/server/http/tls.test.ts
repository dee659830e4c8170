import tls from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../../helpers/calls.js'
import { makeCertificate } from '../../helpers/certificate.js'
import { startTestServer } from '../../helpers/server.js'
import { shareServer } from '../../helpers/shared-server.js'
import { hasProgram } from '../../helpers/system-programs.js'

describe.skipIf(!hasProgram('openssl'))('TLS', () => {
  const shared = shareServer({ tls: hasProgram('openssl') ? makeCertificate() : null })

  function handshake(options: tls.ConnectionOptions): Promise<{ protocol: string | null; cipher: string }> {
    const socket = tls.connect({
      port: Number(new URL(shared.server.url).port),
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...options,
    })
    onTestFinished(() => void socket.destroy())
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.once('secureConnect', () => resolve({ protocol: socket.getProtocol(), cipher: socket.getCipher().name }))
    })
  }

  it('uses version 1.3 with a client that supports it', async () => {
    expect((await handshake({})).protocol).toBe('TLSv1.3')
  })

  it('uses version 1.2 with forward secrecy otherwise', async () => {
    const { protocol, cipher } = await handshake({ maxVersion: 'TLSv1.2' })
    expect(protocol).toBe('TLSv1.2')
    expect(cipher).toMatch(/^ECDHE-/)
  })

  it.each([
    ['TLSv1.1', 'DEFAULT@SECLEVEL=0'],
    ['TLSv1.2', 'AES256-GCM-SHA384'],
    ['TLSv1.2', 'AES128-SHA'],
    ['TLSv1.2', 'ECDHE-ECDSA-AES128-SHA'],
    ['TLSv1.2', 'DHE-RSA-AES256-GCM-SHA384'],
  ] as const)('%s with %s is rejected', async (maxVersion, ciphers) => {
    await expect(handshake({ minVersion: maxVersion, maxVersion, ciphers })).rejects.toThrow(/alert|handshake|reset/i)
  })
})

describe('Strict-Transport-Security', () => {
  const cases: [how: string, changes: Parameters<typeof startTestServer>[0], expected: string | undefined][] = [
    ['is sent where the public URL is https', { publicUrl: 'https://files.example.org' }, 'max-age=31536000'],
    ['is not sent over http', {}, undefined],
    ['is not sent where the public URL is http', { publicUrl: 'http://files.example.org' }, undefined],
  ]
  if (hasProgram('openssl')) cases.push(['is sent where TLS is ours', { tls: makeCertificate() }, 'max-age=31536000'])

  it.each(cases)('%s', async (_how, changes, expected) => {
    const server = await startTestServer(changes)
    onTestFinished(() => server.close())
    for (const path of ['/healthz', '/', '/nowhere', '/files']) {
      const { headers } = await new Caller(server, '').call(path)
      expect(headers['strict-transport-security']).toBe(expected)
    }
  })
})
