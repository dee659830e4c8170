import type { FileStore, Partial, StoredFile } from '../stores/files.js'
import { unlessAborted } from './abortable.js'
import type { Reservation, SpaceReservations } from './space.js'
import type { UploadNote } from './upload-note.js'
import { digestMismatch } from './uploads.js'

/** What an upload by pieces has on the disk: its partial, open or at rest, its note, and the room set aside for it. */
export class ResumableBytes {
  readonly #files: FileStore
  readonly #space: SpaceReservations
  readonly #id: string
  #note: UploadNote
  #partial: Partial | null = null
  #reservation: Reservation | null = null
  #sizeAtRest: number
  #syncedForPublish: Promise<void> | null = null
  /** Settles when no note is being written: two at once would write the same file. */
  #noting: Promise<void> = Promise.resolve()
  #isRemoved = false

  constructor(
    { files, space }: { files: FileStore; space: SpaceReservations },
    { id, note, size }: { id: string; note: UploadNote; size: number },
  ) {
    this.#files = files
    this.#space = space
    this.#id = id
    this.#note = note
    this.#sizeAtRest = size
  }

  get note(): UploadNote {
    return this.#note
  }

  get size(): number {
    return this.#partial?.size ?? this.#sizeAtRest
  }

  /** Throws where it is at rest. */
  get partial(): Partial {
    if (!this.#partial) throw new Error(`The partial of upload ${this.#id} is not open.`)
    return this.#partial
  }

  /** Sets room aside and makes the partial. Throws `quota-exceeded` and `disk-full`. */
  async create(): Promise<void> {
    await this.#reserve(this.#note.length ?? 0)
    this.#partial = await this.#files.createPartial(this.#id)
    await this.#takeTurn(() => this.#write(this.#note))
  }

  /** Opens the partial after a rest, with room for `bytes` in all. Throws as `create` does. */
  async open(bytes: number): Promise<void> {
    await this.#reserve(bytes)
    this.#partial ??= (await this.#files.reopenPartial(this.#id)) ?? null
    if (!this.#partial) throw new Error(`The partial of upload ${this.#id} is gone.`)
  }

  /** Makes sure that what has come of a length that nobody knows has its room. */
  async cover(): Promise<void> {
    await this.#reservation?.cover(this.size)
  }

  /** Keeps the note with these changes, durably, also at rest. */
  change(changes: { [key in keyof UploadNote]?: UploadNote[key] }): Promise<void> {
    return this.#takeTurn(async () => {
      const changed = { ...this.#note, ...changes }
      if (JSON.stringify(changed) === JSON.stringify(this.#note)) return
      await this.#write(changed)
      this.#note = changed
    })
  }

  /** Resolves when all that has come is on disk. */
  async sync(): Promise<void> {
    // The partial of a publish under way is closed soon, and synced by it.
    if (this.#syncedForPublish) await this.#syncedForPublish
    else await this.#partial?.sync()
  }

  /** Closes the partial, and keeps room only for what has come. */
  async rest(): Promise<void> {
    this.#reservation?.shrink(this.size)
    await this.sync()
    this.#sizeAtRest = this.size
    await this.#noting
    await this.#partial?.close()
    this.#partial = null
  }

  /** Waits for the digest and the disk. Throws `digest-mismatch` where another one was declared, and the signal's reason. */
  async settle(signal: AbortSignal): Promise<string> {
    this.#syncedForPublish = this.partial.sync()
    const [sha256] = await unlessAborted(Promise.all([this.partial.sha256(), this.#syncedForPublish]), signal)
    const declared = this.#note.sha256
    if (declared !== null && declared !== sha256) throw digestMismatch(declared, sha256)
    return sha256
  }

  /** Makes it the file. The note stays, until `remove`, for a start after a crash. */
  async publish(sha256: string): Promise<StoredFile> {
    const { space, name, type, precondition } = this.#note
    const target = { space, name, type, sha256, precondition: precondition as never }
    return (await this.partial.publish(target)).file
  }

  /** Gives the room back. */
  release(): void {
    this.#reservation?.release()
    this.#reservation = null
  }

  /** Removes what there is of it; after a publish, the note. */
  async remove(): Promise<void> {
    this.#isRemoved = true
    await this.#noting
    if (this.#partial) await this.#partial.remove()
    else await this.#files.removePartial(this.#id)
  }

  #takeTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#noting.then(work)
    this.#noting = turn.catch(() => {})
    return turn
  }

  async #write(note: UploadNote): Promise<void> {
    // It would be left behind.
    if (this.#isRemoved) return
    if (this.#partial) await this.#partial.note(note)
    else await this.#files.notePartial(this.#id, note)
  }

  async #reserve(bytes: number): Promise<void> {
    if (this.#reservation) {
      await this.#reservation.coverExactly(bytes)
      return
    }
    const { space, name } = this.#note
    const there = await this.#files.find(space, name)
    this.#reservation = await this.#space.reserve(space, bytes, there?.size ?? 0, () => this.size)
  }
}
