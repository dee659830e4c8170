import { unlessAborted } from '../concurrency/abortable.js'
import { Mutex } from '../concurrency/mutex.js'
import type { Capacity } from '../stores/capacity.js'
import type { DeclaredDigests, PublishedFiles, StoredFile } from '../stores/files.js'
import type { PartialFile, Partials, PublishedPartial, PublishTarget } from '../stores/partials.js'
import type { Reservation, RoomHolder } from '../stores/space.js'
import { checkDigests, checkNotContradicted } from './declared-digests.js'
import { accountOfKept, type ResumeState } from './resume-state.js'
import { type RoomServices, reserveRoom } from './room.js'

/** The properties that a chunk declares of itself and the whole upload. */
export interface Declared {
  offset: number
  length: number | null
  digests: DeclaredDigests
  check: { isDeclared: boolean }
}

export interface ByteServices extends RoomServices {
  files: Pick<PublishedFiles, 'find'>
  partials: Partials
  capacity: Pick<Capacity, 'freed'>
}

/** The disk state of a resumable upload: its partial, open or closed, its resume state, and the reserved space. */
export class ResumableBytes {
  readonly #services: ByteServices
  readonly #id: string
  readonly #holder: RoomHolder
  #resumeState: ResumeState
  #partial: PartialFile | null = null
  #reservation: Reservation | null = null
  #suspendedSize: number
  #syncedForPublish: Promise<void> | null = null
  /** Two writes of the state at a time would use the same file. */
  readonly #writingState = new Mutex()
  #isRemoved = false

  constructor(
    services: ByteServices,
    { id, resumeState, size }: { id: string; resumeState: ResumeState; size: number },
    holder: RoomHolder,
  ) {
    this.#services = services
    this.#id = id
    this.#holder = holder
    this.#resumeState = resumeState
    this.#suspendedSize = size
  }

  get resumeState(): ResumeState {
    return this.#resumeState
  }

  get size(): number {
    return this.#partial?.size ?? this.#suspendedSize
  }

  /** Until the publish, at most length - 1: tus clients take the full length for success. */
  get advertisedSize(): number {
    const { length } = this.#resumeState
    return length === null ? this.size : Math.max(0, Math.min(this.size, length - 1))
  }

  /** Throws if it is not open. */
  get partial(): PartialFile {
    if (!this.#partial) throw new Error(`The partial of upload ${this.#id} is not open.`)
    return this.#partial
  }

  /** Reserves space and creates the partial, which is not open then. Throws `quota-exceeded` and `disk-full`. */
  async create(): Promise<void> {
    await this.#reserve(this.#resumeState.length ?? 0)
    this.#partial = await this.#services.partials.create(this.#id)
    await this.#writingState.run(() => this.#write(this.#resumeState))
    await this.#partial.close()
    this.#partial = null
  }

  /** Reopens the suspended partial, with space for `bytes` in total. Throws like `create`. */
  async open(bytes: number): Promise<void> {
    await this.#reserve(bytes)
    this.#partial ??= (await this.#services.partials.take(this.#id)) ?? null
    if (!this.#partial) throw new Error(`The partial of upload ${this.#id} is gone.`)
  }

  /** Truncates it to the start of a chunk, and saves the chunk's declarations. */
  async expect({ offset, length, digests, check }: Declared): Promise<void> {
    if (offset < this.size) await this.partial.truncate(offset)
    await this.change({
      length: length ?? this.#resumeState.length,
      ...digests,
      uncheckedFrom: check.isDeclared ? offset : null,
    })
  }

  /** Saves declarations after a chunk. Throws `invalid-request` if they contradict earlier ones. */
  async declare(digests: DeclaredDigests): Promise<void> {
    checkNotContradicted(digests, this.#resumeState)
    await this.change(digests)
  }

  /** For uploads of unknown length: grows the reservation to the bytes received so far. */
  async cover(): Promise<void> {
    await this.#reservation?.cover(this.size)
  }

  /** Saves the state with these changes, durably, also while the partial is closed. */
  change(changes: { [key in keyof ResumeState]?: ResumeState[key] }): Promise<void> {
    return this.#writingState.run(async () => {
      const changed = { ...this.#resumeState, ...changes }
      if (JSON.stringify(changed) === JSON.stringify(this.#resumeState)) return
      await this.#write(changed)
      this.#resumeState = changed
    })
  }

  /** Resolves when all received bytes are on disk. */
  async sync(): Promise<void> {
    // The partial of a running publish is closed and synced by it soon.
    if (this.#syncedForPublish) await this.#syncedForPublish
    else await this.#partial?.sync()
  }

  /** Closes the partial, and reserves space only for the received bytes. */
  async suspend(): Promise<void> {
    this.#reservation?.shrink(this.size)
    await this.sync()
    this.#suspendedSize = this.size
    await this.#writingState.idle()
    await this.#partial?.close()
    this.#partial = null
  }

  /**
   * Waits for the digest and the disk. Throws `digest-mismatch` if another one was declared, and the signal's reason.
   */
  async settle(signal: AbortSignal): Promise<string> {
    this.#syncedForPublish = this.partial.sync()
    const { sha256, sha512 } = this.#resumeState
    const declared = { ...(sha256 === null ? {} : { sha256 }), ...(sha512 === null ? {} : { sha512 }) }
    const both = Promise.all([checkDigests(this.partial, [declared]), this.#syncedForPublish])
    return (await unlessAborted(both, signal))[0]
  }

  /**
   * Publishes the file, by default as `PartialFile.publish` does. The state stays until `remove`, for a start after a
   * crash.
   */
  async publish(
    sha256: string,
    publish: (partial: PartialFile, target: PublishTarget) => Promise<PublishedPartial> = (partial, target) =>
      partial.publish(target),
  ): Promise<StoredFile> {
    const { space, name, type, precondition, request } = this.#resumeState
    const target = { space, name, type, sha256, precondition: precondition as never, isNumbered: request !== null }
    return (await publish(this.partial, target)).file
  }

  /** Releases the reserved space. */
  release(): void {
    this.#reservation?.release()
    this.#reservation = null
  }

  /** Removes all data; after a publish, the state. */
  async remove(): Promise<void> {
    this.#isRemoved = true
    await this.#writingState.idle()
    if (this.#partial) await this.#partial.remove()
    else await this.#services.partials.remove(this.#id)
  }

  /** Resolves when the space of the removed data is free. */
  freed(): Promise<void> {
    return this.#services.capacity.freed()
  }

  async #write(resumeState: ResumeState): Promise<void> {
    // Otherwise it would be left behind.
    if (this.#isRemoved) return
    if (this.#partial) await this.#partial.saveState(resumeState)
    else await this.#services.partials.saveState(this.#id, resumeState)
  }

  async #reserve(bytes: number): Promise<void> {
    if (this.#reservation) {
      await this.#reservation.coverExactly(bytes)
      return
    }
    const { space, name, request } = this.#resumeState
    const there = request === null ? await this.#services.files.find(space, name) : undefined
    this.#reservation = await reserveRoom(this.#services, {
      job: { id: this.#id, account: accountOfKept(this.#resumeState) },
      space,
      bytes,
      replaces: there?.size ?? 0,
      written: () => this.size,
      holder: this.#holder,
    })
  }
}
