import type { ArchiveWriter, Chunks, Member, MemberStream } from './archive-writer.js'
import { endOfTar, paddingOf, tarHeader } from './tar-headers.js'

export interface TarOptions {
  /** The time of folders, in milliseconds since 1970. */
  now: number
  /** Whether each file whose SHA-256 is known has a record of it, about which GNU tar prints a warning. */
  digests: boolean
}

/** Writes a tar file (POSIX.1-2001). */
export class TarWriter implements ArchiveWriter {
  readonly #options: TarOptions
  #written = 0

  constructor(options: TarOptions) {
    this.#options = options
  }

  async prepare(member: Member, bytes: Uint8Array): Promise<() => Chunks> {
    return () => this.#count([this.#header(member), bytes, paddingOf(bytes.length)])
  }

  begin(member: Member): MemberStream {
    return {
      head: this.#count([this.#header(member)]),
      push: async (bytes) => this.#count([bytes]),
      end: async () => this.#count([paddingOf(member.size)]),
      close() {},
    }
  }

  finish(): Iterable<Uint8Array> {
    return [endOfTar(this.#written)]
  }

  #header(member: Member): Buffer {
    const { now, digests } = this.#options
    return tarHeader(digests ? member : { ...member, sha256: null }, now)
  }

  #count(chunks: Chunks): Chunks {
    for (const { length } of chunks) this.#written += length
    return chunks
  }
}
