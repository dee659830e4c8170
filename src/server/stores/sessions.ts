export interface StoredSession {
  readonly id: string
  readonly accountId: number
  /** The User-Agent that logged in, 200 characters at most. */
  readonly client: string
  readonly createdAt: string
  readonly lastUsedAt: string
  readonly expiresAt: string
  /** The id of the one valid refresh token; missing if refresh tokens do not rotate. */
  readonly refreshId?: string
}

/** The sessions. Creation and removal are durable when their promises resolve; `touch` may be lost in a crash. */
export interface SessionStore {
  /** At most 50 live ones per account: the least recently used one is removed and returned among `removed`. */
  create(session: StoredSession): Promise<{ removed: StoredSession[] }>
  /** Expired ones count as missing. */
  find(id: string): Promise<StoredSession | undefined>
  list(accountId: number): Promise<StoredSession[]>
  /** Records the use in memory; written at most once a minute. */
  touch(id: string, at: string): void
  /**
   * Replaces `refreshId` atomically and durably. Returns false, without changes, if it is not `from` or there is no
   * such session.
   */
  rotate(id: string, from: string, to: string): Promise<boolean>
  /**
   * When each account last used a session, also one that has ended since, a minute old at most. An account that never logged in
   * is missing.
   */
  lastSeen(): Promise<ReadonlyMap<number, string>>
  /** Removes and returns the existing ones. Removing a missing one is not an error. */
  remove(ids: string[]): Promise<StoredSession[]>
}
