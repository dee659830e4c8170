import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { findSha256, formatDigest } from '../../dist/protocol/digest-fields.js'

describe('a digest field', () => {
  const digest = createHash('sha256').update('x').digest()

  it('is written and parsed as RFC 9530 specifies', () => {
    expect(findSha256({ 'repr-digest': formatDigest(digest) })).toBe(digest.toString('hex'))
  })

  it('is found among others', () => {
    expect(findSha256({ 'repr-digest': `sha-512=:AAAA:, sha-256=:${digest.toString('base64')}:;q=1` })).toBe(
      digest.toString('hex'),
    )
  })

  it.each([undefined, '', 'sha-512=:AAAA:', 'sha-256=:AAAA:', 'md5-sha-256=x'])('has no SHA-256 in %j', (field) => {
    expect(findSha256({ 'repr-digest': field })).toBeUndefined()
  })
})
