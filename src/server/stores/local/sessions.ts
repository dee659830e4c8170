import { join } from 'node:path'
import { z } from 'zod'
import type { Session, SessionStore } from '../sessions.js'
import { type JsonFile, openJsonFile } from './json-file.js'

export interface SessionStoreOptions {
  /** At most so many live sessions an account; default 50. */
  perAccount?: number
  /** How long a noted use may wait to be written; default a minute. */
  writeAfterMs?: number
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
  /** Told when `close` could not write the last uses, which is no reason to fail; default nobody. */
  onUsesLost?: (error: unknown) => void
}

/**
 * Opens the sessions of sessions.json. Throws when the file is damaged. `close` writes the last uses, and what could not be
 * written before; it throws only for the latter.
 */
export async function openSessionStore(
  dataFolder: string,
  options: SessionStoreOptions = {},
): Promise<SessionStore & { close(): Promise<void> }> {
  const file = await openJsonFile<SessionsFile>(join(dataFolder, 'sessions.json'), sessionsSchema, { sessions: [] })
  return new LocalSessionStore(file, {
    perAccount: 50,
    writeAfterMs: 60_000,
    now: Date.now,
    onUsesLost: () => {},
    ...options,
  })
}

interface SessionsFile {
  sessions: Session[]
}

/** Held in memory by id and by account, because every request looks one up. */
class LocalSessionStore implements SessionStore {
  readonly #file: JsonFile<SessionsFile>
  readonly #options: Required<SessionStoreOptions>
  readonly #byId = new Map<string, Session>()
  readonly #byAccount = new Map<number, Set<string>>()
  /** Set while a use is noted and not yet written. */
  #timer: NodeJS.Timeout | null = null
  /** Whether the file still has sessions that were removed: a restart would bring them back. */
  #removalIsLost = false

  constructor(file: JsonFile<SessionsFile>, options: Required<SessionStoreOptions>) {
    this.#file = file
    this.#options = options
    for (const session of file.data.sessions) this.#put(session)
  }

  async create(session: Session): Promise<{ removed: Session[] }> {
    const removed: Session[] = []
    const live = this.#live(session.accountId).sort((a, b) => Date.parse(a.lastUsedAt) - Date.parse(b.lastUsedAt))
    while (live.length >= this.#options.perAccount) removed.push(live.shift()!)
    for (const gone of removed) this.#drop(gone)
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

  async find(id: string): Promise<Session | undefined> {
    const session = this.#byId.get(id)
    return session && this.#isLive(session) ? session : undefined
  }

  async list(accountId: number): Promise<Session[]> {
    return this.#live(accountId)
  }

  touch(id: string, at: string): void {
    const session = this.#byId.get(id)
    if (!session) return
    this.#byId.set(id, { ...session, lastUsedAt: at })
    // A write that fails is made good by the next one: the note may be lost.
    this.#timer ??= setTimeout(() => void this.#writeUses().catch(() => {}), this.#options.writeAfterMs).unref()
  }

  async remove(ids: string[]): Promise<Session[]> {
    const removed = ids.map((id) => this.#byId.get(id)).filter((session) => session !== undefined)
    // They stay gone in memory even when the disk refuses: a logout must not be undone by a full disk.
    for (const session of removed) this.#drop(session)
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
    for (const session of this.#byId.values()) if (!this.#isLive(session)) this.#drop(session)
    this.#file.data.sessions = [...this.#byId.values()]
    await this.#file.save()
    this.#removalIsLost = false
  }

  #live(accountId: number): Session[] {
    return [...(this.#byAccount.get(accountId) ?? [])]
      .map((id) => this.#byId.get(id)!)
      .filter((session) => this.#isLive(session))
  }

  #isLive(session: Session): boolean {
    return Date.parse(session.expiresAt) > this.#options.now()
  }

  #put(session: Session): void {
    this.#byId.set(session.id, session)
    const ids = this.#byAccount.get(session.accountId) ?? new Set()
    this.#byAccount.set(session.accountId, ids.add(session.id))
  }

  #drop(session: Session): void {
    this.#byId.delete(session.id)
    const ids = this.#byAccount.get(session.accountId)
    ids?.delete(session.id)
    if (ids?.size === 0) this.#byAccount.delete(session.accountId)
  }
}

const sessionsSchema = z.object({
  sessions: z.array(
    z.looseObject({
      id: z.string().min(1),
      accountId: z.int().positive(),
      client: z.string(),
      createdAt: z.iso.datetime(),
      lastUsedAt: z.iso.datetime(),
      expiresAt: z.iso.datetime(),
    }),
  ),
})
