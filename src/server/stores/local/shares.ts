import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { keepExpiredMs, type Share, type ShareStore } from '../shares.js'
import { noReserve, type ReserveUse } from './disk-reserve.js'
import { type JsonFile, openJsonFile } from './json-file.js'

export interface ShareStoreOptions {
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
  /** How long a count that may be lost is unwritten; default a minute. */
  writeAfterMs?: number
  /** For revocations on a full disk. */
  reserve?: ReserveUse
}

/** Opens the shares of shares.json. Throws if the file is damaged. `close` writes the last counts. */
export async function openShareStore(
  dataFolder: string,
  { now = Date.now, writeAfterMs = 60_000, reserve = noReserve }: ShareStoreOptions = {},
): Promise<ShareStore & { close(): Promise<void> }> {
  const initial: SharesFile = { shares: [], restricted: [] }
  const file = await openJsonFile(join(dataFolder, 'shares.json'), sharesSchema, initial, reserve)
  return new LocalShareStore(file, { now, writeAfterMs })
}

interface SharesFile {
  shares: Share[]
  /** Those that an earlier filejobs would serve without their terms: it does not read this list. */
  restricted: Share[]
}

class LocalShareStore implements ShareStore {
  readonly #file: JsonFile<SharesFile>
  readonly #options: { now: () => number; writeAfterMs: number }
  readonly #byId: Map<string, Share>
  /** The links of reserved downloads. They end with the process. */
  readonly #reservations = new Map<string, string>()
  /** Set while a count is not yet written. */
  #timer: NodeJS.Timeout | null = null

  constructor(file: JsonFile<SharesFile>, options: { now: () => number; writeAfterMs: number }) {
    this.#file = file
    this.#options = options
    const all = [...file.data.shares, ...file.data.restricted]
    const inOrder = all.sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt))
    this.#byId = new Map(inOrder.map((share) => [share.id, share]))
  }

  async create(share: Share): Promise<void> {
    this.#byId.set(share.id, share)
    try {
      await this.#save('save')
    } catch (error) {
      this.#byId.delete(share.id)
      throw error
    }
  }

  async find(id: string): Promise<Share | undefined> {
    const share = this.#byId.get(id)
    return share && this.#isKept(share) ? share : undefined
  }

  async list(accountId: number): Promise<Share[]> {
    return [...this.#byId.values()].filter((share) => share.accountId === accountId && this.#isKept(share))
  }

  async remove(ids: string[]): Promise<void> {
    // They stay removed in memory even if the write fails: a revocation must not be undone by a full disk.
    const removed = ids.filter((id) => this.#byId.delete(id))
    if (removed.length > 0) await this.#save('saveWithReserve')
  }

  async reserveDownload(id: string): Promise<string | undefined> {
    // Without waiting: a download that is counted meanwhile would be neither counted nor reserved.
    const share = this.#byId.get(id)
    if (!share || !this.#isKept(share)) return undefined
    const reserved = [...this.#reservations.values()].filter((of) => of === id).length
    if (share.maxDownloads !== null && share.downloads + reserved >= share.maxDownloads) return undefined
    const reservation = randomUUID()
    this.#reservations.set(reservation, id)
    return reservation
  }

  async countDownload(reservation: string): Promise<void> {
    const share = this.#byId.get(this.#reservations.get(reservation) ?? '')
    this.#reservations.delete(reservation)
    if (!share) return
    // It stays counted in memory even if the write fails: the file was sent.
    this.#byId.set(share.id, { ...share, downloads: share.downloads + 1 })
    if (share.maxDownloads === null) this.#saveSoon()
    else await this.#save('saveWithReserve')
  }

  async releaseDownload(reservation: string): Promise<void> {
    this.#reservations.delete(reservation)
  }

  async countOpening(id: string): Promise<void> {
    const share = this.#byId.get(id)
    if (!share) return
    this.#byId.set(id, { ...share, opened: share.opened + 1 })
    this.#saveSoon()
  }

  async close(): Promise<void> {
    if (this.#timer) await this.#save('save').catch(() => {})
    await this.#file.close()
  }

  #saveSoon(): void {
    const write = () => void this.#save('save').catch(() => {})
    // A failed write is repaired by the next one.
    this.#timer ??= setTimeout(write, this.#options.writeAfterMs).unref()
  }

  async #save(how: 'save' | 'saveWithReserve'): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    for (const share of this.#byId.values()) if (!this.#isKept(share)) this.#byId.delete(share.id)
    const all = [...this.#byId.values()]
    this.#file.data.shares = all.filter((share) => !isRestricted(share))
    this.#file.data.restricted = all.filter(isRestricted)
    await this.#file[how]()
  }

  #isKept(share: Share): boolean {
    return Date.parse(share.expiresAt) + keepExpiredMs > this.#options.now()
  }
}

function isRestricted({ names, passwordHash, maxDownloads }: Share): boolean {
  return names !== null || passwordHash !== null || maxDownloads !== null
}

/** Files of earlier versions have the first five members only. */
const shareSchema = z.looseObject({
  id: z.string().min(1),
  accountId: z.int().positive(),
  filename: z.string(),
  names: z.array(z.string().min(1)).nullable().default(null),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  passwordHash: z.string().nullable().default(null),
  maxDownloads: z.int().positive().nullable().default(null),
  downloads: z.int().nonnegative().default(0),
  opened: z.int().nonnegative().default(0),
  note: z.string().nullable().default(null),
})

const sharesSchema = z.object({ shares: z.array(shareSchema), restricted: z.array(shareSchema).default([]) })
