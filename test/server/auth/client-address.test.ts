import { describe, expect, it } from 'vitest'
import { clientAddress } from '../../../dist/server/auth/client-address.js'

describe('the address of who asks', () => {
  it.each([
    ['the other end of the connection', '10.0.0.1', undefined, 0, '10.0.0.1'],
    ['not what the header says, when no proxy is trusted', '10.0.0.1', '192.0.2.9', 0, '10.0.0.1'],
    ['what one trusted proxy saw', '10.0.0.1', '192.0.2.9', 1, '192.0.2.9'],
    ['not what the sender made up left of it', '10.0.0.1', '203.0.113.1, 192.0.2.9', 1, '192.0.2.9'],
    ['what the outer of two proxies saw', '10.0.0.1', '203.0.113.1, 192.0.2.9, 10.0.0.2', 2, '192.0.2.9'],
    ['the first of a chain that is shorter', '10.0.0.1', '192.0.2.9', 2, '192.0.2.9'],
    ['without a port', '10.0.0.1', '192.0.2.9:4711', 1, '192.0.2.9'],
    ['without brackets', '10.0.0.1', '[2001:db8::1]:4711', 1, '2001:db8::1'],
    ['the proxy itself, when it says no address', '10.0.0.1', 'unknown', 1, '10.0.0.1'],
    ['the proxy itself, when it says nothing', '10.0.0.1', undefined, 1, '10.0.0.1'],
  ])('is %s', (_, remote, forwarded, trusted, expected) => {
    expect(clientAddress(remote, forwarded, trusted)).toBe(expected)
  })
})
