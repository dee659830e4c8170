import type { Receipt } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import type { Job } from '../jobs/job.js'
import { asProblem, endByError } from '../jobs/outcome.js'
import type { StoredFile } from '../stores/files.js'
import { unlessAborted } from './abortable.js'
import { Flow } from './flow.js'
import type { ReceivingMemory } from './partial-writer.js'
import { checkPiece, type Piece, receivePiece } from './pieces.js'
import { RequestTurns } from './request-turns.js'
import { ResumableBytes } from './resumable-bytes.js'
import type { UploadNote } from './upload-note.js'
import { stopWhenRevoked, turnOf, type UploadServices } from './uploads.js'

export interface ResumableServices extends UploadServices {
  memory: ReceivingMemory
  /** How long an upload keeps its slot after its last byte, in milliseconds. */
  keepSlotMs: number
  /** How long an upload that nothing happens to is kept, in milliseconds. */
  keepPartialMs: number
  /** Told of what ends an upload while no request of it is there to be answered. */
  onFailure(error: unknown): void
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
  readonly #bytes: ResumableBytes
  readonly #onEnd: (published: UploadProgress | null) => void
  readonly #requests = new RequestTurns()
  #publishing: Promise<StoredFile> | null = null
  #published: StoredFile | null = null
  #discarding: Promise<void> | null = null
  #restTimer: NodeJS.Timeout | undefined
  #lastByteAt = performance.now()
  #lastUsedAt: number
  #isNotingControls = false

  /** `onEnd` is called once, when nothing is left to clean up: with what was published, or null. */
  constructor(
    services: ResumableServices,
    { job, note, size, lastUsedAt }: { job: Job; note: UploadNote; size: number; lastUsedAt: Date },
    onEnd: (published: UploadProgress | null) => void,
  ) {
    this.#services = services
    this.job = job
    this.#bytes = new ResumableBytes(services, { id: job.id, note, size })
    this.#lastUsedAt = lastUsedAt.getTime()
    this.#onEnd = onEnd
    job.throttle.onChange(() => this.noteControls())
    job.signal.addEventListener('abort', () => {
      // A publish under way ends by itself, and cleans up.
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
      await this.#orAbort(this.#bytes.create())
      this.job.signal.throwIfAborted()
      if (this.#bytes.note.length === 0) await this.#publish()
      return this.#progress()
    })
  }

  /** How far it is. Ends the request that still hangs on it. */
  async look(): Promise<UploadProgress> {
    return this.#ask(null, async () => {
      await this.#orAbort(this.#bytes.sync())
      return this.#progress()
    })
  }

  /**
   * Appends a piece, and publishes the file with the last one. Ends the request that still hangs on the upload, and takes over.
   * Throws `offset-mismatch`, what `checkPiece` and `receivePiece` do, `digest-mismatch`, and what ended the request or the job.
   */
  async append(piece: Piece): Promise<UploadProgress> {
    return this.#ask(piece.left, async (signal) => {
      const isEmpty = piece.bodySize === 0
      if (piece.offset !== this.#told && !(isEmpty && piece.offset === this.#bytes.size)) {
        throw offsetMismatch(this.#told, piece.offset)
      }
      checkPiece(piece, this.#bytes.note, this.#services.space)
      if (this.#publishing) return this.#join(this.#publishing, piece, signal)
      await this.#goOn(piece, signal)
      const endRevocation = stopWhenRevoked(this.job, piece.identity)
      try {
        await this.#receive(piece, signal)
        this.job.signal.throwIfAborted()
        if (this.#bytes.size !== this.#bytes.note.length) await this.#orAbort(this.#bytes.sync())
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

  /** Ends the upload, because nobody came back for it in time. */
  expire(): void {
    this.job.abort(expired())
  }

  /** Keeps for a later run of the server, soon, whether the job is held and how fast it may go. To be called when its state changes. */
  noteControls(): void {
    if (!this.#isNotingControls) void this.#noteControls()
  }

  /** Ends the request under way by `reason`, and keeps everything for a later run. A publish under way is waited for. */
  async close(reason: Problem): Promise<void> {
    await this.#requests.close(reason)
    clearTimeout(this.#restTimer)
    await this.#publishing?.catch(() => {})
    await this.#discarding
    if (this.job.isEnded) return
    this.#interrupt()
    // One that cannot be kept must not hold up the end of the server: it ends, and its room is free.
    await this.#orAbort(this.#bytes.rest()).catch(this.#services.onFailure)
    await this.#discarding
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
          this.#planRest()
        }
      })
    } catch (error) {
      if (!this.job.signal.aborted && !this.job.isEnded) throw asProblem(error)
      await this.#discarding
      throw endByError(this.job, error)
    }
  }

  /** Takes the slot, the room and the partial again, where a rest has given them back, and notes what the piece declares. */
  async #goOn({ offset, length, sha256, checksum, ...request }: Piece, signal: AbortSignal): Promise<void> {
    const { job } = this
    const bytes = this.#bytes
    await this.#services.jobs.claimAgain(job, turnOf({ ...request, left: signal }))
    await bytes.open(length ?? bytes.note.length ?? bytes.size)
    if (offset < bytes.size) await this.#orAbort(bytes.partial.truncate(offset))
    if (job.bytes !== bytes.size) job.countFrom(bytes.size)
    const changes = {
      length: length ?? bytes.note.length,
      sha256: sha256 ?? bytes.note.sha256,
      uncheckedFrom: checksum ? offset : null,
    }
    await this.#orAbort(bytes.change(changes))
    job.signal.throwIfAborted()
    signal.throwIfAborted()
    if (job.totalBytes !== bytes.note.length) job.totalBytes = bytes.note.length
    if (job.state === 'interrupted') job.start()
    request.begin(job)
  }

  /** Without these the upload goes on all the same, so that a failure ends nothing. */
  async #noteControls(): Promise<void> {
    const { job } = this
    this.#isNotingControls = true
    try {
      for (;;) {
        const { note } = this.#bytes
        const controls = { paused: job.isHeld, rateLimit: job.throttle.bytesPerSecond }
        const isKept = note.paused === controls.paused && note.rateLimit === controls.rateLimit
        if (isKept || job.signal.aborted || job.isEnded || this.#publishing) return
        await this.#bytes.change(controls)
      }
    } catch (error) {
      this.#services.onFailure(error)
    } finally {
      this.#isNotingControls = false
    }
  }

  async #receive(piece: Piece, left: AbortSignal): Promise<void> {
    const { idleTimeoutMs, throttleOf, memory, space } = this.#services
    const { job } = this
    let flow: Flow | undefined
    try {
      await receivePiece(piece, this.#bytes, {
        flow: (signal) => {
          const signals = AbortSignal.any([left, signal])
          flow = new Flow({ job, shared: [throttleOf(job.account)], idleTimeoutMs, signal: signals })
          return flow
        },
        memory,
        space,
        isWorthKeeping: () => !job.signal.aborted,
      })
    } catch (error) {
      const problem = asProblem(error)
      if (endsUpload.includes(problem.code)) job.abort(problem)
      if (!senderStays.includes(problem.code)) this.#interrupt()
      throw problem
    } finally {
      flow?.close()
      this.#lastByteAt = flow?.lastByteAt ?? this.#lastByteAt
      this.#lastUsedAt = Date.now()
      if (!job.signal.aborted && job.bytes !== this.#bytes.size) job.countFrom(this.#bytes.size)
    }
  }

  /** All bytes had come when the request that brought them broke off: whoever asks again waits for the same end. */
  async #join(publishing: Promise<StoredFile>, { sha256, body, begin }: Piece, signal: AbortSignal) {
    // The note on disk does not matter any more; the digest is compared when it is known.
    if (sha256 !== null) this.#bytes.note.sha256 = sha256
    begin(this.job)
    body.resume()
    await unlessAborted(publishing, signal)
    return this.#progress()
  }

  #publish(): Promise<StoredFile> {
    this.#publishing ??= this.#publishOnce()
    this.#publishing.catch(() => {})
    return this.#publishing
  }

  async #publishOnce(): Promise<StoredFile> {
    const { job } = this
    try {
      const sha256 = await this.#bytes.settle(job.signal)
      await this.#services.checkAccess(job.accountId)
      job.commit()
      this.#published = await this.#bytes.publish(sha256)
    } catch (error) {
      await this.#discard(error)
      throw error
    }
    this.#bytes.release()
    job.end({ state: 'done' })
    this.#onEnd(this.#progress())
    // A note that stays is removed by the next start.
    await this.#bytes.remove().catch(() => {})
    return this.#published
  }

  /** Ends the job once nobody works on it any more and nothing is left of it. Never rejects. */
  #discard(reason: unknown, before: () => Promise<void> = async () => {}): Promise<void> {
    this.#discarding ??= (async () => {
      await before()
      clearTimeout(this.#restTimer)
      let outcome = reason
      try {
        await this.#bytes.remove()
      } catch (error) {
        this.#services.onFailure(error)
        outcome = error
      }
      this.#bytes.release()
      endByError(this.job, outcome)
      this.#onEnd(null)
    })()
    return this.#discarding
  }

  /** What fails here leaves bytes of which nobody knows whether they can be trusted: the upload ends. */
  async #orAbort(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.job.abort(asProblem(error))
      throw error
    }
  }

  #interrupt(): void {
    if (this.job.state === 'running' || this.job.state === 'paused') this.job.interrupt()
  }

  /** No request is at work: after a while the slot, the room and the open file go back. */
  #planRest(): void {
    clearTimeout(this.#restTimer)
    if (this.job.signal.aborted || this.#publishing || this.#requests.isClosed) return
    const inMs = Math.max(0, this.#lastByteAt + this.#services.keepSlotMs - performance.now())
    this.#restTimer = setTimeout(() => this.#rest(), inMs)
    this.#restTimer.unref()
  }

  async #rest(): Promise<void> {
    try {
      await this.#requests.run(null, takenOver(), async () => {
        if (this.job.signal.aborted) return
        this.#interrupt()
        this.#services.jobs.releaseSlot(this.job)
        await this.#bytes.rest()
      })
    } catch (error) {
      // Closed meanwhile: everything is kept for the next start.
      if (this.#requests.isClosed) return
      this.#services.onFailure(error)
      this.job.abort(asProblem(error))
    }
  }

  #progress(): UploadProgress {
    const { length, metadata } = this.#bytes.note
    const expiresAt = this.#published ? null : this.expiresAt
    return { id: this.job.id, offset: this.#told, length, metadata, expiresAt, published: this.#published }
  }

  /** The whole length is told only once the file is published: who hears it takes the upload for done. */
  get #told(): number {
    const { size, note } = this.#bytes
    if (this.#published) return this.#published.size
    return note.length === null ? size : Math.max(0, Math.min(size, note.length - 1))
  }
}

/** After these nobody can go on: there is no room for it, or what is on disk cannot be trusted. */
const endsUpload: readonly string[] = ['quota-exceeded', 'file-too-large', 'disk-full', 'internal']
/** After these the sender is there and can send again. */
const senderStays: readonly string[] = ['body-too-large', 'checksum-mismatch']

/** Why an upload ended that nobody came back for in time. */
export function expired(): Problem {
  return new Problem('upload-gone', 'The upload has expired: nothing came for too long. Start it again.')
}

function takenOver(): Problem {
  return new Problem('taken-over', 'Another request for the same upload came, and goes on with it.')
}

export function offsetMismatch(offset: number, given: number): Problem {
  const message = `The upload is at ${offset}, not at ${given}: ask for the offset with HEAD and go on from there.`
  return new Problem('offset-mismatch', message, { offset })
}
