import type { TlsOptions } from 'node:tls'

/**
 * Options of the TLS server. All suites have forward secrecy: recorded connections cannot be decrypted if the key is
 * disclosed later.
 */
export const tlsPolicy = {
  // Explicit, because NODE_OPTIONS and a system's OpenSSL configuration can lower Node's default.
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  // Mozilla's "intermediate" list: the suites of TLS 1.3, then ECDHE with authenticated encryption for 1.2.
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  // No request can arrive before the handshake is done.
  handshakeTimeout: 10_000,
  // Node offers HTTP/1.1 only, and rejects `curl --http1.0` in the handshake.
  ALPNProtocols: ['http/1.1', 'http/1.0'],
} satisfies TlsOptions
