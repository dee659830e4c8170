import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { declaredDigests, reprDigest } from '../../../../dist/server/routes/headers/digests.js'
import { parseChecksum, parseMetadata } from '../../../../dist/server/routes/headers/tus-headers.js'
import { check } from '../../../helpers/properties.js'
import { checksumOf, metadataOf } from '../../../helpers/tus.js'

const bytes = fc.uint8Array({ maxLength: 50 })
const hexOf = (algorithm: string, content: Uint8Array) => createHash(algorithm).update(content).digest('hex')
const member = (algorithm: string, hex: string) => `${algorithm}=:${Buffer.from(hex, 'hex').toString('base64')}:`
const parse = (header: string) =>
  declaredDigests((name) => (name === 'repr-digest' ? header : undefined), ['Repr-Digest'])

describe('a digest field', () => {
  it('parses to the digest that was formatted', () => {
    check(
      fc.property(bytes, (content) => {
        const sha256 = hexOf('sha256', content)
        expect(parse(reprDigest(sha256))).toEqual({ sha256 })
      }),
    )
  })

  it('with both algorithms, and unknown ones between, parses to both in any order and spacing', () => {
    const spaces = fc.constantFrom('', ' ', '  ', '\t')
    check(
      fc.property(bytes, spaces, fc.boolean(), fc.boolean(), (content, space, swapped, hasOther) => {
        const digests = { sha256: hexOf('sha256', content), sha512: hexOf('sha512', content) }
        const members = [member('sha-256', digests.sha256), member('SHA-512', digests.sha512)]
        if (swapped) members.reverse()
        if (hasOther) members.splice(1, 0, 'md5=:1B2M2Y8AsgTpgAmY7PhCfg==:')
        expect(parse(members.join(`${space},${space}`))).toEqual(digests)
      }),
    )
  })

  it('damaged in one character is rejected, or is another digest', () => {
    check(
      fc.property(bytes, fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (content, at, character) => {
        const header = reprDigest(hexOf('sha256', content))
        const place = 'sha-256=:'.length + (at % 44)
        fc.pre(header[place] !== character)
        const damaged = header.slice(0, place) + character + header.slice(place + 1)
        try {
          expect(parse(damaged)).not.toEqual({ sha256: hexOf('sha256', content) })
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-request' })
        }
      }),
      500,
    )
  })

  it('is parsed or rejected as invalid, whatever it contains', () => {
    const unit = fc.constantFrom('sha-256', 'sha-512', '=', ':', ',', ' ', 'AAAA', 'A=', ';', '\t', 'é')
    check(
      fc.property(fc.string({ unit }), (header) => {
        try {
          for (const digest of Object.values(parse(header))) expect(digest).toMatch(/^[0-9a-f]{64,128}$/)
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-request' })
        }
      }),
      500,
    )
  })
})

describe('a tus header', () => {
  it('with a checksum parses to the formatted one', () => {
    check(
      fc.property(bytes, fc.constantFrom('sha1', 'sha256', 'sha512'), (content, algorithm) => {
        const digest = hexOf(algorithm, content)
        expect(parseChecksum(checksumOf(algorithm, content))).toEqual({ algorithm, digest })
      }),
    )
  })

  it('with metadata parses to the formatted ones', () => {
    const key = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.'), minLength: 1 })
    check(
      fc.property(fc.dictionary(key, fc.string({ unit: 'grapheme' }), { noNullPrototype: true }), (pairs) => {
        expect(Object.fromEntries(parseMetadata(metadataOf(pairs)))).toEqual(pairs)
      }),
    )
  })
})
