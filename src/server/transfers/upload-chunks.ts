import type { Readable } from 'node:stream'
import { Problem } from '../../protocol/problems.js'
import { asProblem } from '../jobs/outcome.js'
import type { DeclaredDigests } from '../stores/files.js'
import type { SpaceReservations } from '../stores/space.js'
import { checkNotContradicted } from './declared-digests.js'
import type { Flow } from './flow.js'
import { watchGrowth } from './growth.js'
import type { ReceivingMemory } from './partial-writer.js'
import { receive } from './receiving.js'
import type { ResumableBytes } from './resumable-bytes.js'
import type { ResumeState } from './resume-state.js'
import { checkFileSize } from './room.js'
import type { UploadRequest } from './upload-request.js'

/** A chunk of an upload: the body of one request. */
export interface UploadChunk extends Omit<UploadRequest, 'jobId'> {
  offset: number
  body: Readable
  /** Bytes of the body, null if unknown. */
  bodySize: number | null
  /** The length of the whole upload, if it is declared only now. */
  length: number | null
  /** Of the whole upload, if they are declared only now. */
  digests: DeclaredDigests
  /** Digests in trailers, available at the end of the body. Throws `invalid-request`. */
  lateDigests(): DeclaredDigests
  /** For this chunk only. */
  check: BodyCheck
}

/** The digests of a request's own bytes. */
export interface BodyCheck {
  /** False if its headers declare none. */
  isDeclared: boolean
  update(chunk: Buffer): void
  /** Called at the end of the body. Throws if the bytes do not match, and for digests that cannot be verified. */
  verify(): void
}

/**
 * Throws if a chunk contradicts the known properties of the upload: `invalid-request`, `body-too-large`,
 * `file-too-large`.
 */
export function checkChunk(chunk: UploadChunk, resumeState: ResumeState, space: SpaceReservations): void {
  const { offset, bodySize, length, digests } = chunk
  if (length !== null && resumeState.length !== null && length !== resumeState.length) {
    throw wrong('Upload-Length', `${resumeState.length} was declared before`)
  }
  if (length !== null && length < offset) throw wrong('Upload-Length', `${offset} bytes have come already`)
  checkNotContradicted(digests, resumeState)
  const whole = length ?? resumeState.length
  if (length !== null) checkFileSize(space, chunk, length)
  if (whole === null && bodySize !== null) checkFileSize(space, chunk, offset + bodySize)
  if (whole !== null && bodySize !== null && offset + bodySize > whole) throw tooLong(whole)
}

/**
 * Appends a chunk to the received bytes. If it rejects, the received bytes are kept, unless they are wrong or
 * unverified: `body-too-large`, `checksum-mismatch`, or any end of a chunk with a checksum.
 */
export async function receiveChunk(
  { body, check, maxFileBytes }: UploadChunk,
  bytes: ResumableBytes,
  { flow, memory, space, isWorthKeeping }: Reception,
): Promise<void> {
  const from = bytes.size
  const full = new AbortController()
  const takeRoom = async () => {
    const { length } = bytes.resumeState
    if (length !== null && bytes.size > length) throw tooLong(length)
    checkFileSize(space, { maxFileBytes }, bytes.size)
    if (length === null) await bytes.cover()
  }
  const opened = flow(full.signal)
  const growth = watchGrowth(opened.clock, takeRoom, (error) => full.abort(error))
  const { isDeclared } = check
  if (isDeclared) body.on('data', check.update)
  try {
    await receive(body, bytes.partial, {
      flow: opened,
      memory,
      isWorthKeeping: () => !isDeclared && isWorthKeeping(),
    })
    await takeRoom()
    check.verify()
  } catch (error) {
    const isWrong = wrongBytes.includes(asProblem(error).code)
    // The client disconnected after the last byte: nothing is missing.
    if (!isWrong && !isDeclared && bytes.size === bytes.resumeState.length && isWorthKeeping()) return
    if ((isWrong || isDeclared) && isWorthKeeping()) await bytes.partial.truncate(from)
    throw error
  } finally {
    growth.end()
    if (isDeclared && isWorthKeeping()) await trust(bytes)
  }
}

export interface Reception {
  /** Creates the flow of the bytes, which also ends with the signal. */
  flow(signal: AbortSignal): Flow
  memory: ReceivingMemory
  space: SpaceReservations
  /** False if the whole upload has ended: nothing of it will stay. */
  isWorthKeeping(): boolean
}

/**
 * The remaining bytes of a chunk with a checksum are verified, or cut off: only after a sync may a crash count them.
 */
async function trust(bytes: ResumableBytes): Promise<void> {
  await bytes.sync()
  await bytes.change({ uncheckedFrom: null })
}

function wrong(field: string, why: string): Problem {
  return new Problem('invalid-request', `${field}: ${why}.`, { field })
}

const wrongBytes: readonly string[] = ['body-too-large', 'invalid-request']

function tooLong(length: number): Problem {
  return new Problem('body-too-large', `More bytes came than the ${length} that were declared.`, { length })
}
