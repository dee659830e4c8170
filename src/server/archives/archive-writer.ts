/** A file or an empty folder of an archive. */
export interface Member {
  /** Its name in the archive; a folder's ends with a slash. */
  name: string
  /** 0 for a folder. */
  size: number
  /** Milliseconds since 1970; null for a folder: the current time. */
  modifiedAt: number | null
  /** Hexadecimal digits; null if it is not known. */
  sha256: string | null
  /** Media type. */
  type: string
}

/** Bytes of an archive, in order. */
export type Chunks = readonly Uint8Array[]

/** Writes one format. Members are placed in the order of the calls of `begin` and of what `prepare` returned. */
export interface ArchiveWriter {
  /** Prepares a member whose bytes are in memory; several at a time. The returned function places it in the archive. */
  prepare(member: Member, bytes: Uint8Array): Promise<() => Chunks>
  /** Places a member whose bytes follow. */
  begin(member: Member): MemberStream
  /** Ends the archive after its last member. */
  finish(): Iterable<Uint8Array>
}

/** The bytes of one member. */
export interface MemberStream {
  readonly head: Chunks
  /** Encodes bytes of the file. Their buffer may be reused once the result has been sent. */
  push(bytes: Uint8Array): Promise<Chunks>
  /** Returns the bytes after its last one. */
  end(): Promise<Chunks>
  /** Releases its resources. Closing it after `end` is not an error. */
  close(): void
}
