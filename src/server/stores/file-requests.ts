/** A link by which others upload into a folder of an account. */
export interface FileRequest {
  /** Random, URL-safe; no secret. */
  readonly id: string
  readonly accountId: number
  /** Where the files go; it ends with a slash, and need not exist. */
  readonly folder: string
  readonly createdAt: string
  readonly expiresAt: string
  readonly revokedAt: string | null
  /** bcrypt; null if the link needs no password. */
  readonly passwordHash: string | null
  /** Files in all; null for any number. */
  readonly maxFiles: number | null
  /** Bytes in all; null for any number. */
  readonly maxBytes: number | null
  /** Bytes of one file; null for any number. */
  readonly maxFileBytes: number | null
  /** Those that have arrived whole, whether they are still there or not. */
  readonly files: number
  /** Of those files. */
  readonly bytes: number
  /** How often its page was shown. */
  readonly opened: number
  readonly note: string | null
}

/** What an upload takes of a request until it ends. */
export interface RequestReservation {
  /** The id of the upload's job. */
  job: string
  files: number
  bytes: number
}

/** Why a request does not take an upload. */
export type RequestRefusal = 'revoked' | 'files' | 'bytes'

/** The links for uploads. Every change is durable when its promise resolves, unless it says otherwise. */
export interface FileRequestStore {
  create(request: FileRequest): Promise<void>
  /** Those that ended, by their expiry or a revocation, more than `keepExpiredMs` ago count as missing. */
  find(id: string): Promise<FileRequest | undefined>
  /** In order of creation, with those that ended less than `keepExpiredMs` ago. */
  list(accountId: number): Promise<FileRequest[]>
  /** Revoking a missing one, or again, is not an error and changes nothing. */
  revoke(ids: string[], revokedAt: string): Promise<void>
  /** Removing a missing one is not an error. */
  remove(ids: string[]): Promise<void>
  /**
   * Takes files and bytes for an upload, in place of what it had taken before, in one step: all that uploads have taken and
   * what was received never exceeds the limits. Null if they are taken, or why not, with nothing changed. A missing request
   * is revoked. It lasts until `receive` or `release`; where several servers use the store also until the job has ended
   * otherwise, elsewhere until this process ends.
   */
  reserve(id: string, reservation: RequestReservation): Promise<RequestRefusal | null>
  /** Like `reserve`, for an upload that had taken it before the server started: whatever the limits are. */
  restore(id: string, reservation: RequestReservation): Promise<void>
  /** Counts the files of an upload that has been published, once, with these bytes. Without a reservation nothing changes. */
  receive(job: string, bytes: number): Promise<void>
  /** Gives back what an upload has taken. Repeating it, or releasing a received one, is not an error. */
  release(job: string): Promise<void>
  /** Counting a missing one is not an error. The last minute may be lost in a crash. */
  countOpening(id: string): Promise<void>
}

/** What the limits have against files and bytes that are `taken`, in all; null if nothing. */
export function refusalFor(
  { revokedAt, maxFiles, maxBytes }: Pick<FileRequest, 'revokedAt' | 'maxFiles' | 'maxBytes'>,
  taken: { files: number; bytes: number },
): RequestRefusal | null {
  if (revokedAt !== null) return 'revoked'
  if (maxFiles !== null && taken.files > maxFiles) return 'files'
  return maxBytes !== null && taken.bytes > maxBytes ? 'bytes' : null
}
