export interface Share {
  /** Random, URL-safe; no secret. */
  readonly id: string
  readonly accountId: number
  /** The name that is served: whichever file has it at that time. Of a selection, the folder that holds it, or `''`. */
  readonly filename: string
  /** The files and folders of a selection, by their full names; null for `filename` alone. */
  readonly names: readonly string[] | null
  readonly createdAt: string
  readonly expiresAt: string
  /** bcrypt; null if the link needs no password. */
  readonly passwordHash: string | null
  /** null for any number. */
  readonly maxDownloads: number | null
  /** Those that were counted. */
  readonly downloads: number
  /** How often its page or its list was shown. */
  readonly opened: number
  readonly note: string | null
}

/** The links to files. Every change is durable when its promise resolves, unless it says otherwise. */
export interface ShareStore {
  create(share: Share): Promise<void>
  /** Those that expired more than `keepExpiredMs` ago count as missing. */
  find(id: string): Promise<Share | undefined>
  /** In order of creation, with those that expired less than `keepExpiredMs` ago. */
  list(accountId: number): Promise<Share[]>
  /** Removing a missing one is not an error. */
  remove(ids: string[]): Promise<void>
  /**
   * Takes one of the downloads that are left, until it is counted or released, or this server ends. Undefined if all are counted
   * or reserved, and for a missing link.
   */
  reserveDownload(id: string): Promise<string | undefined>
  /**
   * Counts a reserved download, once; one that is no longer reserved is not counted. Of a link that allows any number, the last
   * minute may be lost in a crash.
   */
  countDownload(reservation: string): Promise<void>
  /** Repeating it, or releasing a counted one, is not an error. */
  releaseDownload(reservation: string): Promise<void>
  /** Counting a missing link is not an error. The last minute may be lost in a crash. */
  countOpening(id: string): Promise<void>
}

/** How long an expired link is kept, so that its owner and its readers are told. */
export const keepExpiredMs = 30 * 86_400_000
