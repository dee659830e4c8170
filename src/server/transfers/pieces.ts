import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { Problem } from '../../protocol/problems.js'
import { asProblem } from '../jobs/outcome.js'
import type { Flow } from './flow.js'
import type { ReceivingMemory } from './partial-writer.js'
import { receive } from './receiving.js'
import type { ResumableBytes } from './resumable-bytes.js'
import type { SpaceReservations } from './space.js'
import type { UploadNote } from './upload-note.js'
import { type UploadRequest, watchGrowth } from './uploads.js'

/** A piece of an upload, as one request brings it. */
export interface Piece extends Omit<UploadRequest, 'jobId'> {
  offset: number
  body: Readable
  /** Bytes of the body, null where the sender does not know. */
  bodySize: number | null
  /** The length of the whole, where it is declared only now. */
  length: number | null
  /** The digest of the whole, where it is declared only now: 64 hexadecimal digits. */
  sha256: string | null
  /** Of this piece alone. */
  checksum: { algorithm: 'sha1' | 'sha256'; digest: Buffer } | null
}

/** Throws where a piece contradicts what is known of the whole: `invalid-request`, `body-too-large`, `file-too-large`. */
export function checkPiece(piece: Piece, note: UploadNote, space: SpaceReservations): void {
  const { offset, bodySize, length, sha256 } = piece
  if (length !== null && note.length !== null && length !== note.length) {
    throw wrong('Upload-Length', `${note.length} was declared before`)
  }
  if (length !== null && length < offset) throw wrong('Upload-Length', `${offset} bytes have come already`)
  if (sha256 !== null && note.sha256 !== null && sha256 !== note.sha256) {
    throw wrong('Repr-Digest', 'another SHA-256 was declared before')
  }
  const whole = length ?? note.length
  if (length !== null) space.checkSize(length)
  if (whole === null && bodySize !== null) space.checkSize(offset + bodySize)
  if (whole !== null && bodySize !== null && offset + bodySize > whole) throw tooLong(whole)
}

/**
 * Appends a piece to what has come. When it rejects, what came of it stays, but for what is known to be wrong or was never
 * checked: `body-too-large`, `checksum-mismatch`, or any end of a piece that has a checksum.
 */
export async function receivePiece(
  { body, checksum }: Piece,
  bytes: ResumableBytes,
  { flow, memory, space, isWorthKeeping }: Reception,
): Promise<void> {
  const from = bytes.size
  const full = new AbortController()
  const takeRoom = async () => {
    const { length } = bytes.note
    if (length !== null && bytes.size > length) throw tooLong(length)
    space.checkSize(bytes.size)
    if (length === null) await bytes.cover()
  }
  const growth = watchGrowth(takeRoom, (error) => full.abort(error))
  const hash = checksum && createHash(checksum.algorithm)
  if (hash) body.on('data', (chunk: Buffer) => hash.update(chunk))
  try {
    await receive(body, bytes.partial, {
      flow: flow(full.signal),
      memory,
      isWorthKeeping: () => hash === null && isWorthKeeping(),
    })
    await takeRoom()
    if (hash && !hash.digest().equals(checksum!.digest)) throw checksumMismatch(checksum!.algorithm)
  } catch (error) {
    const isWrong = asProblem(error).code === 'body-too-large'
    // The sender went after the last byte: nothing is missing.
    if (!hash && bytes.size === bytes.note.length && isWorthKeeping()) return
    if ((isWrong || hash) && isWorthKeeping()) await bytes.partial.truncate(from)
    throw error
  } finally {
    growth.end()
    if (hash && isWorthKeeping()) await trust(bytes)
  }
}

export interface Reception {
  /** Makes the flow of the bytes, which ends with the signal too. */
  flow(signal: AbortSignal): Flow
  memory: ReceivingMemory
  space: SpaceReservations
  /** False when the whole upload is ended: nothing of it will stay. */
  isWorthKeeping(): boolean
}

/** What is left of a piece with a checksum is right, or cut away: only once that is synced, a crash may count it. */
async function trust(bytes: ResumableBytes): Promise<void> {
  await bytes.sync()
  await bytes.change({ uncheckedFrom: null })
}

function wrong(field: string, why: string): Problem {
  return new Problem('invalid-request', `${field}: ${why}.`, { field })
}

function checksumMismatch(algorithm: string): Problem {
  return new Problem('checksum-mismatch', `The ${algorithm} of this piece is another one: send it again.`)
}

function tooLong(length: number): Problem {
  return new Problem('body-too-large', `More bytes came than the ${length} that were declared.`, { length })
}
