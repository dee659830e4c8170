import { queueWaitOf } from '../jobs/job-request.js'
import { asProblem } from '../jobs/outcome.js'
import { interrupt } from '../jobs/resumable-slot.js'
import { accountName } from '../stores/accounts.js'
import { Flow } from './flow.js'
import type { ResumableServices } from './resumable-services.js'
import { receiveChunk, type UploadChunk } from './upload-chunks.js'
import { orAbort, type UploadParts } from './upload-parts.js'
import { endsUpload, senderStays } from './upload-problems.js'

/** Receives the requests of a resumable upload. */
export class UploadReception {
  readonly #parts: UploadParts
  readonly #services: ResumableServices
  #lastByteAt: number

  constructor(parts: UploadParts, services: ResumableServices) {
    this.#parts = parts
    this.#services = services
    this.#lastByteAt = services.clock.monotonicMs()
  }

  /** By `Clock.monotonicMs`. */
  get lastByteAt(): number {
    return this.#lastByteAt
  }

  /**
   * Gets the slot, the space and the partial if the upload does not have them, and appends the bytes. `signal` is
   * aborted when the client disconnects or another request takes over.
   */
  async receive(chunk: UploadChunk, signal: AbortSignal): Promise<void> {
    await this.#continue(chunk, signal)
    await this.#append(chunk, signal)
  }

  async #continue(chunk: UploadChunk, signal: AbortSignal): Promise<void> {
    const { run, slot } = this.#parts
    const { job } = run
    const hadSlot = slot.isHeld
    job.isSuspended = false
    try {
      // A waiting client keeps its connection open, and the uploads of an account are limited.
      await slot.claim({ ...queueWaitOf({ ...chunk, left: signal }), isBounded: false })
      await this.#prepare(chunk, signal)
    } catch (error) {
      if (!hadSlot) slot.release()
      throw error
    } finally {
      this.#touch(this.#services.clock.monotonicMs())
    }
    if (job.state === 'waiting' || job.state === 'interrupted') run.start()
    chunk.begin(job)
  }

  /** Opens the partial, and saves the declarations of the request. */
  async #prepare(chunk: UploadChunk, signal: AbortSignal): Promise<void> {
    const { run, bytes } = this.#parts
    const { job } = run
    await bytes.open(chunk.length ?? bytes.resumeState.length ?? bytes.size)
    await orAbort(job, bytes.expect(chunk))
    if (job.bytes !== bytes.size) job.countFrom(bytes.size)
    run.signal.throwIfAborted()
    signal.throwIfAborted()
    if (job.totalBytes !== bytes.resumeState.length) job.totalBytes = bytes.resumeState.length
  }

  async #append(chunk: UploadChunk, left: AbortSignal): Promise<void> {
    const { idleTimeoutMs, throttleOf, memory, space } = this.#services
    const { run, bytes } = this.#parts
    const { job } = run
    let flow: Flow | undefined
    try {
      await receiveChunk(chunk, bytes, {
        flow: (signal) => {
          const signals = AbortSignal.any([left, signal])
          const shared = [throttleOf(accountName(chunk.identity.account))]
          flow = new Flow({ carrier: job, shared, idleTimeoutMs, signal: signals, hungUp: chunk.hungUp })
          return flow
        },
        memory,
        space,
        isWorthKeeping: () => !run.signal.aborted,
      })
    } catch (error) {
      const problem = asProblem(error)
      if (endsUpload.includes(problem.code)) job.abort(problem)
      if (!senderStays.includes(problem.code)) interrupt(job)
      throw problem
    } finally {
      flow?.close()
      this.#touch(flow?.lastByteAt ?? this.#lastByteAt)
      if (!run.signal.aborted && job.bytes !== bytes.size) job.countFrom(bytes.size)
    }
  }

  #touch(lastByteAt: number): void {
    this.#lastByteAt = lastByteAt
    this.#parts.lifetime.touch()
  }
}
