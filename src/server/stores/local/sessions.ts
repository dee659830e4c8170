import { join } from 'node:path'
import { z } from 'zod'
import type { SessionStore, StoredSession } from '../sessions.js'
import { noReserve, type ReserveUse } from './disk-reserve.js'
import { type JsonFile, openJsonFile } from './json-file.js'

export interface SessionStoreOptions {
  /** Maximum live sessions per account; default 50. */
  perAccount?: number
  /** How long a recorded use may be unwritten; default a minute. */
  writeAfterMs?: number
  /** For logins and logouts on a full disk. */
  reserve?: ReserveUse
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
  /** Called if `close` could not write the last uses, which is no reason to fail. */
  onUsesLost?: (error: unknown) => void
}

/**
 * Opens the sessions of sessions.json. Throws if the file is damaged. `close` writes the last uses and earlier failed
 * writes; it throws only for the latter.
 */
export async function openSessionStore(
  dataFolder: string,
  options: SessionStoreOptions = {},
): Promise<SessionStore & { close(): Promise<void> }> {
  const path = join(dataFolder, 'sessions.json')
  const file = await openJsonFile<SessionsFile>(path, sessionsSchema, { sessions: [], lastSeen: {} }, options.reserve)
  return new LocalSessionStore(file, {
    perAccount: 50,
    writeAfterMs: 60_000,
    now: Date.now,
    onUsesLost: () => {},
    reserve: noReserve,
    ...options,
  })
}

interface SessionsFile {
  sessions: StoredSession[]
  /** By the id of the account: of sessions that have ended. */
  lastSeen: Record<string, string>
}

/** Held in memory by id and by account, because every request looks one up. */
class LocalSessionStore implements SessionStore {
  readonly #file: JsonFile<SessionsFile>
  readonly #options: Required<SessionStoreOptions>
  readonly #byId = new Map<string, StoredSession>()
  readonly #byAccount = new Map<number, Set<string>>()
  readonly #lastSeen: Map<number, string>
  /** Set while a use is recorded and not yet written. */
  #timer: NodeJS.Timeout | null = null
  /** Whether the file still has removed sessions: a restart would restore them. */
  #removalIsLost = false

  constructor(file: JsonFile<SessionsFile>, options: Required<SessionStoreOptions>) {
    this.#file = file
    this.#options = options
    this.#lastSeen = new Map(Object.entries(file.data.lastSeen).map(([id, at]) => [Number(id), at]))
    for (const session of file.data.sessions) this.#put(session)
  }

  async create(session: StoredSession): Promise<{ removed: StoredSession[] }> {
    const removed: StoredSession[] = []
    const live = this.#live(session.accountId).sort((a, b) => Date.parse(a.lastUsedAt) - Date.parse(b.lastUsedAt))
    while (live.length >= this.#options.perAccount) removed.push(live.shift()!)
    for (const gone of removed) this.#end(gone)
    this.#put(session)
    try {
      await this.#save()
    } catch (error) {
      this.#drop(session)
      for (const gone of removed) this.#put(gone)
      throw error
    }
    return { removed }
  }

  async find(id: string): Promise<StoredSession | undefined> {
    const session = this.#byId.get(id)
    return session && this.#isLive(session) ? session : undefined
  }

  async list(accountId: number): Promise<StoredSession[]> {
    return this.#live(accountId)
  }

  touch(id: string, at: string): void {
    const session = this.#byId.get(id)
    if (!session) return
    this.#byId.set(id, { ...session, lastUsedAt: at })
    // A failed write is repaired by the next one: the use may be lost.
    this.#timer ??= setTimeout(() => void this.#writeUses().catch(() => {}), this.#options.writeAfterMs).unref()
  }

  async rotate(id: string, from: string, to: string): Promise<boolean> {
    const session = this.#byId.get(id)
    if (session?.refreshId !== from || !this.#isLive(session)) return false
    this.#byId.set(id, { ...session, refreshId: to })
    try {
      await this.#save()
    } catch (error) {
      const current = this.#byId.get(id)
      if (current?.refreshId === to) this.#byId.set(id, { ...current, refreshId: from })
      throw error
    }
    return true
  }

  async lastSeen(): Promise<ReadonlyMap<number, string>> {
    const seen = new Map(this.#lastSeen)
    for (const session of this.#byId.values()) see(seen, session)
    return seen
  }

  async remove(ids: string[]): Promise<StoredSession[]> {
    const removed = ids.map((id) => this.#byId.get(id)).filter((session) => session !== undefined)
    // They stay removed in memory even if the write fails: a logout must not be undone by a full disk.
    for (const session of removed) this.#end(session)
    if (removed.length > 0) {
      this.#removalIsLost = true
      await this.#save()
    }
    return removed.filter((session) => this.#isLive(session))
  }

  async close(): Promise<void> {
    try {
      if (this.#timer || this.#removalIsLost) await this.#writeUses()
    } catch (error) {
      if (this.#removalIsLost) throw error
      this.#options.onUsesLost(error)
    } finally {
      await this.#file.close()
    }
  }

  async #writeUses(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    await this.#save()
  }

  async #save(): Promise<void> {
    for (const session of this.#byId.values()) if (!this.#isLive(session)) this.#end(session)
    this.#file.data.sessions = [...this.#byId.values()]
    this.#file.data.lastSeen = Object.fromEntries(this.#lastSeen)
    await this.#file.saveWithReserve()
    this.#removalIsLost = false
  }

  #live(accountId: number): StoredSession[] {
    return [...(this.#byAccount.get(accountId) ?? [])]
      .map((id) => this.#byId.get(id)!)
      .filter((session) => this.#isLive(session))
  }

  #isLive(session: StoredSession): boolean {
    return Date.parse(session.expiresAt) > this.#options.now()
  }

  #put(session: StoredSession): void {
    this.#byId.set(session.id, session)
    const ids = this.#byAccount.get(session.accountId) ?? new Set()
    this.#byAccount.set(session.accountId, ids.add(session.id))
  }

  #end(session: StoredSession): void {
    see(this.#lastSeen, session)
    this.#drop(session)
  }

  #drop(session: StoredSession): void {
    this.#byId.delete(session.id)
    const ids = this.#byAccount.get(session.accountId)
    ids?.delete(session.id)
    if (ids?.size === 0) this.#byAccount.delete(session.accountId)
  }
}

/** Notes the use of a session, unless a later one of its account is known. */
function see(seen: Map<number, string>, { accountId, lastUsedAt }: StoredSession): void {
  const known = seen.get(accountId)
  if (known === undefined || Date.parse(known) < Date.parse(lastUsedAt)) seen.set(accountId, lastUsedAt)
}

const sessionsSchema = z.object({
  // Missing in a folder of an earlier version.
  lastSeen: z.record(z.string().regex(/^\d+$/), z.iso.datetime()).default({}),
  sessions: z.array(
    z.looseObject({
      id: z.string().min(1),
      accountId: z.int().positive(),
      client: z.string(),
      createdAt: z.iso.datetime(),
      lastUsedAt: z.iso.datetime(),
      expiresAt: z.iso.datetime(),
      refreshId: z.string().optional(),
    }),
  ),
})
