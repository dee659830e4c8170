import { createHash, type Hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Problem } from '../../../protocol/problems.js'
import { digestMismatch } from '../../stores/digest-mismatch.js'
import { compareDigests } from '../../transfers/declared-digests.js'
import type { BodyCheck } from '../../transfers/upload-chunks.js'
import { checkArrived, type DigestField, declaredDigests, fileFields, isAnnounced } from '../headers/digests.js'
import { type ChecksumAlgorithm, checksumAlgorithms, parseChecksum } from '../headers/tus-headers.js'

type Expected = { [algorithm in ChecksumAlgorithm]?: string }

/** The digest check of bodies that are no file: forms and JSON. A mismatch is `digest-mismatch`. */
export function checkOfBody(incoming: IncomingMessage): BodyCheck {
  const expectedIn = (get: Get) => declaredDigests(get, fileFields)
  return bodyCheck(incoming, fileFields, expectedIn, digestMismatch)
}

/**
 * The digest check of the bytes of one tus request. A mismatch is `checksum-mismatch`: the client can send them again.
 */
export function checkOfChunk(incoming: IncomingMessage): BodyCheck {
  const fields = ['Content-Digest'] as const satisfies DigestField[]
  const expectedIn = (get: Get): Expected => {
    const checksum = parseChecksum(get('upload-checksum'))
    const digests: Expected = declaredDigests(get, fields)
    if (!checksum) return digests
    return { ...digests, [checksum.algorithm]: checksum.digest }
  }
  return bodyCheck(incoming, [...fields, 'Upload-Checksum'], expectedIn, (algorithm) => {
    return new Problem('checksum-mismatch', `The ${algorithm} of these bytes is another one: send them again.`)
  })
}

type Get = (name: string) => string | undefined

/** A trailer is verified if `Trailer` announced it, and rejected otherwise: the bytes are no longer available. */
function bodyCheck(
  incoming: IncomingMessage,
  fields: readonly string[],
  expectedIn: (get: Get) => Expected,
  mismatch: (algorithm: string, expected: string, computed: string) => Problem,
): BodyCheck {
  const early = expectedIn((name) => incoming.headers[name] as string | undefined)
  const announced = fields.some((field) => isAnnounced(incoming, field))
  const algorithms = checksumAlgorithms.filter((name) => announced || early[name] !== undefined)
  const hashes = new Map<ChecksumAlgorithm, Hash>(algorithms.map((name) => [name, createHash(name)]))
  return {
    isDeclared: hashes.size > 0,
    update(chunk) {
      for (const hash of hashes.values()) hash.update(chunk)
    },
    verify() {
      for (const field of fields) checkArrived(incoming, field)
      const late = expectedIn((name) => incoming.trailers[name])
      const computed = new Map([...hashes].map(([name, hash]) => [name, hash.digest('hex')]))
      for (const expected of [early, late]) {
        const compute = (name: ChecksumAlgorithm) => {
          const found = computed.get(name)
          if (found === undefined) throw notAnnounced()
          return found
        }
        compareDigests(expected, compute, mismatch)
      }
    },
  }
}

function notAnnounced(): Problem {
  const message = 'A digest came as a trailer that was not announced: name its field in the header Trailer.'
  return new Problem('invalid-request', message, { field: 'Trailer' })
}
