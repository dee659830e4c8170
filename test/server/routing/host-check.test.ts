import { describe, expect, it } from 'vitest'
import { checkHost } from '../../../dist/server/routing/host-check.js'

const loopback = { host: '127.0.0.1', publicUrl: null }

describe('a server bound to a loopback host', () => {
  it.each(['localhost', 'LOCALHOST:8080', '127.0.0.1:8080', '127.0.0.2', '[::1]', '[::1]:8080', 'files.localhost:1'])(
    'accepts Host %s',
    (host) => {
      checkHost(host, loopback)
    },
  )

  it.each([
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '192.168.1.2',
    '::1',
    '',
    undefined,
  ])('rejects Host %s', (host) => {
    expect(() => checkHost(host, loopback)).toThrow(expect.objectContaining({ code: 'host-not-allowed' }))
  })

  it('accepts the host of its public URL, behind a proxy on the same machine', () => {
    const config = { ...loopback, publicUrl: 'https://files.example.org' }
    checkHost('files.example.org', config)
    expect(() => checkHost('evil.example', config)).toThrow(expect.objectContaining({ code: 'host-not-allowed' }))
  })
})

it('a server bound to another host accepts any Host', () => {
  checkHost('files.example.org', { host: '0.0.0.0', publicUrl: null })
})
