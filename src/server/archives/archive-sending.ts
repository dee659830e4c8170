import type { Writable } from 'node:stream'
import { unlessAborted } from '../concurrency/abortable.js'
import type { FileEnd } from '../jobs/file-tally.js'
import type { PublishedFiles } from '../stores/files.js'
import type { BufferPool } from '../transfers/buffers.js'
import type { Flow } from '../transfers/flow.js'
import { clientLeft } from '../transfers/receiving.js'
import { type ByteSink, send, Truncated } from '../transfers/sending.js'
import type { ArchiveWriter, Chunks } from './archive-writer.js'
import { type ArchivePart, changedFile, openListed, partsOf, refuseChanged } from './parts.js'
import { type Entry, entriesOf, fileEntry, type Selection } from './selection.js'

export type SentFile = Exclude<FileEnd, { status: 'failed' }>

export interface ArchiveSendingOptions {
  files: PublishedFiles
  selection: Selection
  writer: ArchiveWriter
  response: Writable
  flow: Flow
  /** Called for each file that was sent whole. */
  fileDone(file: SentFile): void
  pool: BufferPool
}

/** The loop that sends one archive. */
export class ArchiveSending {
  readonly #options: ArchiveSendingOptions

  constructor(options: ArchiveSendingOptions) {
    this.#options = options
  }

  /**
   * Sends everything, up to the end of the archive. Rejects with the reason of the flow's signal, and with
   * `file-not-found` and `file-changed` for a file that has changed since it was listed.
   */
  async send(): Promise<void> {
    const { files, selection, writer } = this.#options
    const { space, base } = selection
    await this.#forEach(partsOf(entriesOf(files, selection), { files, space, base, writer }), (parts) =>
      this.#sendParts(parts),
    )
    for (const chunk of writer.finish()) await this.#emit([chunk], 0)
  }

  /** Reads the next group of files while the last one is being written. */
  async #forEach(groups: AsyncGenerator<ArchivePart[]>, work: (parts: ArchivePart[]) => Promise<void>): Promise<void> {
    const { signal } = this.#options.flow
    let next = groups.next()
    try {
      for (;;) {
        const { done, value } = await unlessAborted(next, signal)
        if (done) return
        next = groups.next()
        // Prevents an unhandled rejection: it is awaited later, unless the transfer ends before.
        next.catch(() => {})
        await work(value)
      }
    } finally {
      // A job that has ended has no open file.
      await next.catch(() => {})
    }
  }

  async #sendParts(parts: readonly ArchivePart[]): Promise<void> {
    const { writer } = this.#options
    const whole = parts.filter(({ place }) => place !== null)
    await this.#emit(
      whole.flatMap(({ place }) => place?.() ?? []),
      whole.reduce((sum, { entry }) => sum + entry.member.size, 0),
    )
    this.#count(whole.map(({ entry }) => entry))
    for (const { entry, place } of parts) if (!place) await this.#sendLarge(writer, entry)
  }

  async #sendLarge(writer: ArchiveWriter, { file: listed }: Entry): Promise<void> {
    const { files, selection, flow, pool, response } = this.#options
    if (!listed) return
    const file = await openListed(files, selection.space, listed.name)
    try {
      const entry = fileEntry(file.file, selection.base)
      const stream = writer.begin(entry.member)
      try {
        await this.#emit(stream.head, 0)
        const sink: ByteSink = {
          write(bytes, callback) {
            stream
              .push(bytes)
              .then((chunks) => write(response, chunks))
              .then(() => callback(), callback)
          },
        }
        await send(file, { start: 0, end: file.file.size }, sink, { flow, pool, onSent: () => {} }).catch((error) => {
          throw error instanceof Truncated ? changedFile(file.file) : error
        })
        // Before the end of the member, which would make it look whole.
        await refuseChanged(file)
        await this.#emit(await stream.end(), 0)
      } finally {
        stream.close()
      }
      this.#count([entry])
    } finally {
      await file.close()
    }
  }

  /** Writes chunks that hold `content` bytes of files, in steps, so that a rate-limited export runs evenly. */
  async #emit(chunks: Chunks, content: number): Promise<void> {
    const { flow, response } = this.#options
    const bytes = Buffer.concat(chunks)
    let passed = 0
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + Math.ceil(Math.min(flow.step, bytes.length)))
      const share = Math.floor((content * end) / bytes.length) - passed
      await flow.pass(share)
      await unlessAborted(write(response, [bytes.subarray(at, end)]), flow.signal)
      // Reading and packing the next files takes a while, which must not count as a stall of the client.
      flow.touch()
      passed += share
      at = end
    }
  }

  #count(entries: readonly Entry[]): void {
    for (const { file } of entries) {
      if (file) this.#options.fileDone({ name: file.name, size: file.size, status: 'new' })
    }
  }
}

/** Resolves when the sink has accepted all chunks. */
async function write(sink: Writable, chunks: Chunks): Promise<void> {
  if (chunks.length === 0) return
  const bytes = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
  return new Promise((resolve, reject) => {
    sink.write(bytes, (error) => (error ? reject(clientLeft()) : resolve()))
  })
}
