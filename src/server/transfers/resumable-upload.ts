import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { Receipt } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import type { Job } from '../jobs/job.js'
import { asProblem, endByError } from '../jobs/outcome.js'
import type { Partial, StoredFile } from '../stores/files.js'
import { unlessAborted } from './abortable.js'
import type { BufferPool } from './buffers.js'
import { Flow } from './flow.js'
import { receive } from './receiving.js'
import { RequestTurns } from './request-turns.js'
import type { Reservation } from './space.js'
import type { UploadNote } from './upload-note.js'
import {
  digestMismatch,
  stopWhenRevoked,
  turnOf,
  type UploadRequest,
  type UploadServices,
  watchGrowth,
} from './uploads.js'

export interface ResumableServices extends UploadServices {
  pool: BufferPool
  /** How long an upload keeps its slot after its last byte, in milliseconds. */
  keepSlotMs: number
  /** How long an upload that nothing happens to is kept, in milliseconds. */
  keepPartialMs: number
}

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

/** How far an upload is. Every offset that is told is on disk. */
export interface UploadProgress {
  id: string
  offset: number
  length: number | null
  metadata: string
  /** null where it does not expire any more. */
  expiresAt: Date | null
  published: StoredFile | null
}

/**
 * One upload by pieces, which is one job however many requests it takes. One request at a time writes: a newer one ends
 * the one before. Between two of them it keeps its slot for a while; when its sender has gone it is interrupted.
 */
export class ResumableUpload {
  readonly job: Job
  readonly #services: ResumableServices
  readonly #note: UploadNote
  readonly #onEnd: (published: UploadProgress | null) => void
  readonly #requests = new RequestTurns()
  #offset: number
  #partial: Partial | null = null
  #reservation: Reservation | null = null
  #publishing: Promise<StoredFile> | null = null
  #syncedForPublish: Promise<void> | null = null
  #published: StoredFile | null = null
  #discarding: Promise<void> | null = null
  #wasPaused = false
  #restTimer: NodeJS.Timeout | undefined
  #lastByteAt = performance.now()
  #lastUsedAt: number

  /** `onEnd` is called once, when nothing is left to clean up: with what was published, or null. */
  constructor(
    services: ResumableServices,
    { job, note, offset, lastUsedAt }: { job: Job; note: UploadNote; offset: number; lastUsedAt: Date },
    onEnd: (published: UploadProgress | null) => void,
  ) {
    this.#services = services
    this.job = job
    this.#note = note
    this.#offset = offset
    this.#lastUsedAt = lastUsedAt.getTime()
    this.#onEnd = onEnd
    job.signal.addEventListener('abort', () => {
      // What is being published ends by itself, and cleans up.
      if (!this.#publishing) this.#discard(job.signal.reason, () => this.#requests.idle())
    })
  }

  /** When it ends if nothing happens to it. */
  get expiresAt(): Date {
    const isUsed = this.#requests.isBusy || this.#publishing !== null
    return new Date((isUsed ? Date.now() : this.#lastUsedAt) + this.#services.keepPartialMs)
  }

  /** Sets room aside and makes the partial. Throws, with the job ended, when one of them fails. */
  async begin(): Promise<UploadProgress> {
    return this.#ask(null, async () => {
      try {
        await this.#reserve(this.#note.length ?? 0)
        this.#partial = await this.#services.files.createPartial(this.job.id)
        await this.#partial.note(this.#note)
      } catch (error) {
        this.job.abort(asProblem(error))
      }
      this.job.signal.throwIfAborted()
      if (this.#note.length === 0) await this.#publish()
      return this.#progress()
    })
  }

  /** How far it is. Ends the request that still hangs on it. */
  async look(): Promise<UploadProgress> {
    return this.#ask(null, async () => {
      await this.#sync()
      return this.#progress()
    })
  }

  /**
   * Appends a piece, and publishes the file with the last one. Ends the request that still hangs on the upload, and takes over.
   * Throws `offset-mismatch`, `checksum-mismatch` with the offset as it was, `body-too-large`, `digest-mismatch`, and what ended the request or the job.
   */
  async append(piece: Piece): Promise<UploadProgress> {
    return this.#ask(piece.left, async (signal) => {
      if (this.#publishing) return this.#join(this.#publishing, piece, signal)
      this.#check(piece)
      await this.#goOn(piece, signal)
      await this.#declare(piece)
      const endRevocation = stopWhenRevoked(this.job, piece.identity)
      try {
        piece.begin(this.job)
        await this.#receive(piece, signal)
        this.job.signal.throwIfAborted()
        if (this.#offset !== this.#note.length) await this.#sync()
        else await unlessAborted(this.#publish(), signal)
        return this.#progress()
      } finally {
        // It watches over the publish too, whose request may have left.
        Promise.resolve(this.#publishing).then(endRevocation, endRevocation)
      }
    })
  }

  /** As `Job.stop`. Its sender, where there is one, is told by its own answer. */
  stop(by: string): Promise<Receipt> {
    return this.job.stop(by)
  }

  /** Ends the request under way by `reason`, and keeps everything for a later run. A publish under way is waited for. */
  async close(reason: Problem): Promise<void> {
    await this.#requests.close(reason)
    clearTimeout(this.#restTimer)
    await this.#publishing?.catch(() => {})
    await this.#discarding
    if (this.job.isEnded) return
    this.#interrupt()
    await this.#sync()
    await this.#partial?.close()
    this.#partial = null
  }

  /** Ends the upload, because nobody came back for it in time. */
  expire(): void {
    this.job.abort(new Problem('upload-gone', 'The upload has expired: nothing came for too long. Start it again.'))
  }

  get #size(): number {
    return this.#partial?.size ?? this.#offset
  }

  /** Runs `work` as the only request of this upload, and words what ended it. */
  async #ask<T>(left: AbortSignal | null, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await this.#requests.run(left, takenOver(), async (signal) => {
        clearTimeout(this.#restTimer)
        this.job.signal.throwIfAborted()
        try {
          return await work(signal)
        } finally {
          this.#rest()
        }
      })
    } catch (error) {
      if (!this.job.signal.aborted && !this.job.isEnded) throw asProblem(error)
      await this.#discarding
      throw endByError(this.job, error)
    }
  }

  #check({ offset, bodySize, length, sha256 }: Piece): void {
    const { space } = this.#services
    const note = this.#note
    if (offset !== this.#told && offset !== this.#offset) throw offsetMismatch(this.#told, offset)
    if (length !== null) {
      if (note.length !== null && note.length !== length) {
        throw new Problem('invalid-request', `Upload-Length: ${note.length} was declared before.`, {
          field: 'Upload-Length',
        })
      }
      if (length < offset) {
        throw new Problem('invalid-request', `Upload-Length: ${offset} bytes have come already.`, {
          field: 'Upload-Length',
        })
      }
      space.checkSize(length)
    }
    if (sha256 !== null && note.sha256 !== null && sha256 !== note.sha256) {
      throw new Problem('invalid-request', 'Repr-Digest: another SHA-256 was declared before.', {
        field: 'Repr-Digest',
      })
    }
    const whole = length ?? note.length
    if (whole !== null && bodySize !== null && offset + bodySize > whole) throw tooLong(whole)
    if (whole === null && bodySize !== null) space.checkSize(offset + bodySize)
  }

  /** Keeps what the piece says of the whole. */
  async #declare({ length, sha256, checksum }: Piece): Promise<void> {
    const before = JSON.stringify(this.#note)
    if (length !== null) {
      this.#note.length = length
      if (this.job.totalBytes !== length) this.job.totalBytes = length
    }
    if (sha256 !== null) this.#note.sha256 = sha256
    this.#note.uncheckedFrom = checksum ? this.#offset : null
    if (JSON.stringify(this.#note) !== before) await this.#partial!.note(this.#note)
  }

  /** Takes the slot, the room and the partial again, where a rest has given them back. */
  async #goOn({ offset, length, ...request }: Piece, signal: AbortSignal): Promise<void> {
    const { jobs, files } = this.#services
    const { job } = this
    await jobs.claimAgain(job, turnOf({ ...request, left: signal }))
    const bytes = length ?? this.#note.length ?? this.#offset
    await this.#reserve(bytes)
    this.#partial ??= (await files.reopenPartial(job.id)) ?? null
    if (!this.#partial) throw new Error(`The partial of upload ${job.id} is gone.`)
    if (offset < this.#offset) await this.#truncate(offset)
    job.signal.throwIfAborted()
    signal.throwIfAborted()
    if (job.state !== 'interrupted') return
    job.start()
    // What was wished for at the creation is forgotten by a restart of the server.
    if (request.rateLimit && job.throttle.bytesPerSecond === null) job.limitRate(request.rateLimit)
    // Whoever paused it has not resumed it: that its sender came back changes nothing.
    if (this.#wasPaused) job.pause()
  }

  async #reserve(bytes: number): Promise<void> {
    const { files, space } = this.#services
    if (this.#reservation) {
      await this.#reservation.cover(bytes)
      return
    }
    const there = await files.find(this.#note.space, this.#note.name)
    this.#reservation = await space.reserve(this.#note.space, bytes, there?.size ?? 0, () => this.#size)
  }

  async #receive(piece: Piece, left: AbortSignal): Promise<void> {
    const { idleTimeoutMs, throttleOf, pool } = this.#services
    const { job } = this
    const partial = this.#partial!
    const from = partial.size
    const full = new AbortController()
    const signal = AbortSignal.any([left, full.signal])
    const flow = new Flow({ job, shared: [throttleOf(job.account)], idleTimeoutMs, signal })
    const growth = watchGrowth(
      () => this.#takeRoom(),
      (error) => full.abort(error),
    )
    const hash = piece.checksum && createHash(piece.checksum.algorithm)
    if (hash) piece.body.on('data', (chunk: Buffer) => hash.update(chunk))
    try {
      await receive(piece.body, partial, { flow, pool, isWorthKeeping: () => !hash && !job.signal.aborted })
      await this.#takeRoom()
      if (hash && !hash.digest().equals(piece.checksum!.digest)) throw checksumMismatch(piece.checksum!.algorithm)
      if (hash) await this.#trust()
    } catch (error) {
      const problem = asProblem(error)
      // The sender went after the last byte: nothing is missing.
      if (!job.signal.aborted && !hash && partial.size === this.#note.length) return
      if (problem.code === 'quota-exceeded' || problem.code === 'file-too-large') job.abort(problem)
      if (!job.signal.aborted) await this.#keepWhatCame(from, problem, hash !== null)
      throw error
    } finally {
      growth.end()
      flow.close()
      this.#lastByteAt = flow.lastByteAt
      this.#lastUsedAt = Date.now()
      this.#offset = partial.size
      if (!job.signal.aborted && job.bytes !== this.#offset) job.countFrom(this.#offset)
    }
  }

  /** Makes sure that what has come has its room. Throws what `SpaceReservations` does, and `body-too-large`. */
  async #takeRoom(): Promise<void> {
    const { length } = this.#note
    const size = this.#size
    if (length !== null && size > length) throw tooLong(length)
    this.#services.space.checkSize(size)
    if (length === null) await this.#reservation?.cover(size)
  }

  /** What was checked as it came is synced before its checksum is forgotten. */
  async #trust(): Promise<void> {
    await this.#sync()
    this.#note.uncheckedFrom = null
    await this.#partial!.note(this.#note)
  }

  /** The piece ended early: what came of it stays, unless it is known to be wrong, or was never checked. */
  async #keepWhatCame(from: number, problem: Problem, isUnchecked: boolean): Promise<void> {
    const isTooLong = problem.code === 'body-too-large'
    if (isTooLong || isUnchecked) {
      try {
        await this.#truncate(from)
        if (isUnchecked) await this.#trust()
      } catch (error) {
        this.job.abort(asProblem(error))
      }
    }
    const senderIsThere = isTooLong || problem.code === 'checksum-mismatch'
    if (!senderIsThere) this.#interrupt()
  }

  async #truncate(offset: number): Promise<void> {
    await this.#partial!.truncate(offset)
    this.#offset = offset
    this.job.countFrom(offset)
  }

  async #sync(): Promise<void> {
    try {
      // The partial of a publish under way is closed soon, and synced by it.
      if (this.#publishing) await this.#syncedForPublish
      else await this.#partial?.sync()
    } catch (error) {
      // The kernel tells of a failed write only once: what was written cannot be trusted any more.
      this.job.abort(asProblem(error))
      throw error
    }
  }

  #publish(): Promise<StoredFile> {
    this.#publishing ??= this.#publishOnce()
    this.#publishing.catch(() => {})
    return this.#publishing
  }

  async #publishOnce(): Promise<StoredFile> {
    const { job } = this
    const { space, name, type, precondition } = this.#note
    const partial = this.#partial!
    try {
      this.#syncedForPublish = partial.sync()
      const [sha256] = await unlessAborted(Promise.all([partial.sha256(), this.#syncedForPublish]), job.signal)
      if (this.#note.sha256 !== null && this.#note.sha256 !== sha256) throw digestMismatch(this.#note.sha256, sha256)
      await this.#services.checkAccess(job.accountId)
      job.commit()
      const { file } = await partial.publish({ space, name, type, sha256, precondition: precondition as never })
      this.#release()
      this.#published = file
      job.end({ state: 'done' })
      this.#onEnd(this.#progress())
      await partial.remove()
      return file
    } catch (error) {
      await this.#discard(error)
      throw error
    }
  }

  /** All bytes had come when the request that brought them broke off: whoever asks again waits for the same end. */
  async #join(publishing: Promise<StoredFile>, piece: Piece, signal: AbortSignal): Promise<UploadProgress> {
    const expected = piece.bodySize === 0 ? this.#offset : this.#told
    if (piece.offset !== expected) throw offsetMismatch(this.#told, piece.offset)
    piece.begin(this.job)
    piece.body.resume()
    await unlessAborted(publishing, signal)
    return this.#progress()
  }

  /** Ends the job once nobody works on it any more and nothing is left of it. */
  #discard(reason: unknown, before: () => Promise<void> = async () => {}): Promise<void> {
    this.#discarding ??= (async () => {
      await before()
      clearTimeout(this.#restTimer)
      try {
        if (this.#partial) await this.#partial.remove()
        else await this.#services.files.removePartial(this.job.id)
      } finally {
        this.#release()
        endByError(this.job, reason)
        this.#onEnd(null)
      }
    })()
    return this.#discarding
  }

  #release(): void {
    clearTimeout(this.#restTimer)
    this.#reservation?.release()
    this.#reservation = null
  }

  #interrupt(): void {
    if (this.job.state !== 'running' && this.job.state !== 'paused') return
    this.#wasPaused = this.job.state === 'paused'
    this.job.interrupt()
  }

  /** No request is at work: after a while the slot, the room and the open file go back. */
  #rest(): void {
    clearTimeout(this.#restTimer)
    if (this.job.signal.aborted || this.#publishing || this.#requests.isClosed) return
    const restMs = Math.max(0, this.#lastByteAt + this.#services.keepSlotMs - performance.now())
    this.#restTimer = setTimeout(() => this.#giveBack().catch((error) => this.job.abort(asProblem(error))), restMs)
    this.#restTimer.unref()
  }

  async #giveBack(): Promise<void> {
    await this.#requests.run(null, takenOver(), async () => {
      if (this.job.signal.aborted) return
      this.#interrupt()
      this.#services.jobs.releaseSlot(this.job)
      this.#reservation?.shrink(this.#offset)
      await this.#sync()
      await this.#partial?.close()
      this.#partial = null
    })
  }

  #progress(): UploadProgress {
    const { length, metadata } = this.#note
    const expiresAt = this.#published ? null : this.expiresAt
    return { id: this.job.id, offset: this.#told, length, metadata, expiresAt, published: this.#published }
  }

  /** The whole length is told only once the file is published: who hears it takes the upload for done. */
  get #told(): number {
    const { length } = this.#note
    return length === null || this.#published ? this.#offset : Math.max(0, Math.min(this.#offset, length - 1))
  }
}

function takenOver(): Problem {
  return new Problem('taken-over', 'Another request for the same upload came, and goes on with it.')
}

export function offsetMismatch(offset: number, given: number): Problem {
  const message = `The upload is at ${offset}, not at ${given}: ask for the offset with HEAD and go on from there.`
  return new Problem('offset-mismatch', message, { offset })
}

function checksumMismatch(algorithm: string): Problem {
  return new Problem('checksum-mismatch', `The ${algorithm} of this piece is another one: send it again.`)
}

function tooLong(length: number): Problem {
  return new Problem('body-too-large', `More bytes came than the ${length} that were declared.`, { length })
}
