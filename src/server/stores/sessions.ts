export interface Session {
  readonly id: string
  readonly accountId: number
  /** The User-Agent that logged in, 200 characters at most. */
  readonly client: string
  readonly createdAt: string
  readonly lastUsedAt: string
  readonly expiresAt: string
}

/** The sessions. Creation and removal are durable when their promises resolve; `touch` may be lost in a crash. */
export interface SessionStore {
  /** At most 50 live per account: the one unused for the longest gives way and is returned among `removed`. */
  create(session: Session): Promise<{ removed: Session[] }>
  /** Expired ones count as missing. */
  find(id: string): Promise<Session | undefined>
  list(accountId: number): Promise<Session[]>
  /** Notes the use in memory; written at most once a minute. */
  touch(id: string, at: string): void
  /** Removes and returns those that were there. Removing a missing one is not an error. */
  remove(ids: string[]): Promise<Session[]>
}
