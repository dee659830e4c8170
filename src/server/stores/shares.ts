export interface Share {
  /** Random, URL-safe; no secret. */
  readonly id: string
  readonly accountId: number
  /** The name that is served: whichever file has it at that time. */
  readonly filename: string
  readonly createdAt: string
  readonly expiresAt: string
}

/** The links to files. Every change is durable when its promise resolves. */
export interface ShareStore {
  create(share: Share): Promise<void>
  /** Expired ones count as missing. */
  find(id: string): Promise<Share | undefined>
  /** Live ones, in order of creation. */
  list(accountId: number): Promise<Share[]>
  /** Removing a missing one is not an error. */
  remove(ids: string[]): Promise<void>
}
