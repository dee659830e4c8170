import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { findSha256, formatDigest } from '../../../dist/cli/transfers/digests.js'

describe('a digest field', () => {
  const digest = createHash('sha256').update('x').digest()

  it('is written and read as RFC 9530 has it', () => {
    expect(findSha256(formatDigest(digest))).toBe(digest.toString('hex'))
  })

  it('is found beside others', () => {
    expect(findSha256(`sha-512=:AAAA:, sha-256=:${digest.toString('base64')}:;q=1`)).toBe(digest.toString('hex'))
  })

  it.each([undefined, '', 'sha-512=:AAAA:', 'sha-256=:AAAA:', 'md5-sha-256=x'])(
    'tells of no SHA-256 in %j',
    (field) => {
      expect(findSha256(field)).toBeUndefined()
    },
  )
})
