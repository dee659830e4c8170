import { join } from 'node:path'
import { z } from 'zod'
import {
  type FileRequest,
  type FileRequestStore,
  type RequestRefusal,
  type RequestReservation,
  refusalFor,
} from '../file-requests.js'
import { keepExpiredMs } from '../shares.js'
import { noReserve, type ReserveUse } from './disk-reserve.js'
import { type JsonFile, openJsonFile } from './json-file.js'

export interface FileRequestStoreOptions {
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
  /** How long a count that may be lost is unwritten; default a minute. */
  writeAfterMs?: number
  /** For revocations and counts on a full disk. */
  reserve?: ReserveUse
}

/** Opens the links of requests.json. Throws if the file is damaged. `close` writes the last counts. */
export async function openFileRequestStore(
  dataFolder: string,
  { now = Date.now, writeAfterMs = 60_000, reserve = noReserve }: FileRequestStoreOptions = {},
): Promise<FileRequestStore & { close(): Promise<void> }> {
  const file = await openJsonFile(join(dataFolder, 'requests.json'), requestsSchema, { requests: [] }, reserve)
  return new LocalFileRequestStore(file, { now, writeAfterMs })
}

interface RequestsFile {
  requests: FileRequest[]
}

class LocalFileRequestStore implements FileRequestStore {
  readonly #file: JsonFile<RequestsFile>
  readonly #options: { now: () => number; writeAfterMs: number }
  readonly #byId: Map<string, FileRequest>
  /** By their jobs. They end with the process. */
  readonly #reservations = new Map<string, RequestReservation & { request: string }>()
  /** Set while a count is not yet written. */
  #timer: NodeJS.Timeout | null = null

  constructor(file: JsonFile<RequestsFile>, options: { now: () => number; writeAfterMs: number }) {
    this.#file = file
    this.#options = options
    this.#byId = new Map(file.data.requests.map((request) => [request.id, request]))
  }

  async create(request: FileRequest): Promise<void> {
    this.#byId.set(request.id, request)
    try {
      await this.#save('save')
    } catch (error) {
      this.#byId.delete(request.id)
      throw error
    }
  }

  async find(id: string): Promise<FileRequest | undefined> {
    const request = this.#byId.get(id)
    return request && this.#isKept(request) ? request : undefined
  }

  async list(accountId: number): Promise<FileRequest[]> {
    return [...this.#byId.values()].filter((request) => request.accountId === accountId && this.#isKept(request))
  }

  async revoke(ids: string[], revokedAt: string): Promise<void> {
    // They stay revoked in memory even if the write fails: a revocation must not be undone by a full disk.
    const found = ids.flatMap((id) => this.#byId.get(id) ?? []).filter((request) => request.revokedAt === null)
    for (const request of found) this.#byId.set(request.id, { ...request, revokedAt })
    if (found.length > 0) await this.#save('saveWithReserve')
  }

  async remove(ids: string[]): Promise<void> {
    const removed = ids.filter((id) => this.#byId.delete(id))
    if (removed.length > 0) await this.#save('saveWithReserve')
  }

  async reserve(id: string, reservation: RequestReservation): Promise<RequestRefusal | null> {
    // Without waiting: two uploads at the same time never take the same place.
    const request = this.#byId.get(id)
    if (!request || !this.#isKept(request)) return 'revoked'
    const others = [...this.#reservations.values()].filter(
      (other) => other.request === id && other.job !== reservation.job,
    )
    const taken = [request, reservation, ...others].reduce(
      (sum, { files, bytes }) => ({ files: sum.files + files, bytes: sum.bytes + bytes }),
      { files: 0, bytes: 0 },
    )
    const refusal = refusalFor(request, taken)
    if (refusal === null) await this.restore(id, reservation)
    return refusal
  }

  async restore(id: string, reservation: RequestReservation): Promise<void> {
    this.#reservations.set(reservation.job, { ...reservation, request: id })
  }

  async receive(job: string, bytes: number): Promise<void> {
    const reservation = this.#reservations.get(job)
    const request = reservation && this.#byId.get(reservation.request)
    this.#reservations.delete(job)
    if (!reservation || !request) return
    // It stays counted in memory even if the write fails: the file is there.
    this.#byId.set(request.id, { ...request, files: request.files + reservation.files, bytes: request.bytes + bytes })
    await this.#save('saveWithReserve')
  }

  async release(job: string): Promise<void> {
    this.#reservations.delete(job)
  }

  async countOpening(id: string): Promise<void> {
    const request = this.#byId.get(id)
    if (!request) return
    this.#byId.set(id, { ...request, opened: request.opened + 1 })
    const write = () => void this.#save('save').catch(() => {})
    // A failed write is repaired by the next one.
    this.#timer ??= setTimeout(write, this.#options.writeAfterMs).unref()
  }

  async close(): Promise<void> {
    if (this.#timer) await this.#save('save').catch(() => {})
    await this.#file.close()
  }

  async #save(how: 'save' | 'saveWithReserve'): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    for (const request of this.#byId.values()) if (!this.#isKept(request)) this.#byId.delete(request.id)
    this.#file.data.requests = [...this.#byId.values()]
    await this.#file[how]()
  }

  #isKept({ expiresAt, revokedAt }: FileRequest): boolean {
    const end = Math.min(Date.parse(expiresAt), Date.parse(revokedAt ?? expiresAt))
    return end + keepExpiredMs > this.#options.now()
  }
}

const requestSchema = z.looseObject({
  id: z.string().min(1),
  accountId: z.int().positive(),
  folder: z.string().min(2),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().nullable(),
  passwordHash: z.string().nullable(),
  maxFiles: z.int().positive().nullable(),
  maxBytes: z.int().positive().nullable(),
  maxFileBytes: z.int().positive().nullable(),
  files: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  opened: z.int().nonnegative(),
  note: z.string().nullable(),
})

const requestsSchema = z.object({ requests: z.array(requestSchema) })
