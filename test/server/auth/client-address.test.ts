import { describe, expect, it } from 'vitest'
import { clientAddress } from '../../../dist/server/auth/client-address.js'

describe('the client address of a request', () => {
  it.each([
    ['the peer of the connection', '10.0.0.1', undefined, 0, '10.0.0.1'],
    ['not read from the header without a trusted proxy', '10.0.0.1', '192.0.2.9', 0, '10.0.0.1'],
    ['the last entry behind one trusted proxy', '10.0.0.1', '192.0.2.9', 1, '192.0.2.9'],
    ['not a forged entry to the left', '10.0.0.1', '203.0.113.1, 192.0.2.9', 1, '192.0.2.9'],
    [
      'the entry before the last behind two trusted proxies',
      '10.0.0.1',
      '203.0.113.1, 192.0.2.9, 10.0.0.2',
      2,
      '192.0.2.9',
    ],
    ['the first entry of a shorter chain', '10.0.0.1', '192.0.2.9', 2, '192.0.2.9'],
    ['without a port', '10.0.0.1', '192.0.2.9:4711', 1, '192.0.2.9'],
    ['without brackets', '10.0.0.1', '[2001:db8::1]:4711', 1, '2001:db8::1'],
    ['that of the proxy, if the header has no address', '10.0.0.1', 'unknown', 1, '10.0.0.1'],
    ['that of the proxy, if the header is missing', '10.0.0.1', undefined, 1, '10.0.0.1'],
  ])('is %s', (_, remote, forwarded, trusted, expected) => {
    expect(clientAddress(remote, forwarded, trusted)).toBe(expected)
  })
})
