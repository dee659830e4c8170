import { randomUUID } from 'node:crypto'
import type { JobRecord, Receipt } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import type { Job } from '../jobs/job.js'
import { type Account, accountName } from '../stores/accounts.js'
import type { Precondition } from '../stores/files.js'
import { checkPrecondition } from '../stores/precondition.js'
import type { Piece } from './pieces.js'
import { offsetMismatch, type ResumableServices, ResumableUpload, type UploadProgress } from './resumable-upload.js'
import type { UploadNote } from './upload-note.js'
import { turnOf, type UploadRequest } from './uploads.js'

/** What the creation of an upload says. */
export interface Creation extends UploadRequest {
  /** Checked by `parseName`. */
  name: string
  /** Media type. */
  type: string
  /** Bytes, null where the sender does not know yet. */
  length: number | null
  /** As the client sent it, to be given back. */
  metadata: string
  /** 64 hexadecimal digits. */
  sha256: string | null
  precondition: Precondition
  /** The first piece, where it comes along. */
  first: Pick<Piece, 'body' | 'bodySize' | 'sha256' | 'checksum'> | null
}

/** An upload that an earlier run of the server left. */
export interface KeptUpload {
  id: string
  note: UploadNote
  /** Bytes on disk that count. */
  offset: number
  lastUsedAt: Date
}

/** The uploads by pieces that are under way, and for a while those that have ended. */
export class ResumableUploads {
  readonly #services: ResumableServices
  readonly #live = new Map<string, ResumableUpload>()
  readonly #published = new Map<string, { accountId: number; until: number; progress: UploadProgress }>()
  readonly #sweepTimer: NodeJS.Timeout
  readonly #endObservation: () => void

  constructor(services: ResumableServices) {
    this.#services = services
    const sweepMs = Math.min(longestSweepMs, Math.max(shortestSweepMs, services.keepPartialMs / 4))
    this.#sweepTimer = setInterval(() => this.#sweep(), sweepMs)
    this.#sweepTimer.unref()
    this.#endObservation = services.jobs.observe((job, change) => {
      if (change === 'state') this.#live.get(job.id)?.noteControls()
    })
  }

  /** Takes up what earlier runs left. They hold no slot until somebody goes on with them. */
  async restore(kept: KeptUpload[]): Promise<void> {
    for (const { id, note, offset, lastUsedAt } of kept) {
      const { accountId, space, name, length, createdAt, paused, rateLimit } = note
      const job = await this.#services.jobs.restore({
        id,
        kind: 'upload',
        accountId,
        account: `${space.role}:${space.username}`,
        file: name,
        totalBytes: length,
        rateLimit,
        interrupted: { startedAt: new Date(createdAt), bytes: offset, paused },
      })
      this.#add(job, note, offset, lastUsedAt)
    }
  }

  /** Claims a slot and begins an upload. Nothing is left of it when this throws. */
  async create(creation: Creation): Promise<UploadProgress> {
    const { files, jobs, space } = this.#services
    const { identity, name, length, metadata, sha256, precondition, first } = creation
    const { account } = identity
    if (length !== null) space.checkSize(length)
    await files.checkName(account, name)
    const there = await files.find(account, name)
    // The answer to an earlier try was lost: the same bytes again are a success, and not worth sending.
    if (there?.sha256 && there.sha256 === sha256 && there.size === length) {
      const id = randomUUID()
      const progress = { id, offset: there.size, length, metadata, expiresAt: null, published: there }
      this.#remember(account.id, progress)
      return progress
    }
    checkPrecondition(there, precondition)
    const owner = { accountId: account.id, account: accountName(account) }
    const wish = { id: creation.jobId, rateLimit: creation.rateLimit ?? null }
    const plan = { ...owner, ...wish, kind: 'upload' as const, file: name, totalBytes: length }
    const job = await jobs.start(plan, turnOf(creation))
    const upload = this.#add(job, noteOf(creation), 0, new Date())
    const progress = await upload.begin()
    if (first === null || length === 0) return progress
    return upload.append({ ...creation, ...first, offset: 0, length: null })
  }

  /** How far an upload is. Throws `upload-not-found`, `upload-gone`, and `upload-locked` for a minute after a stop. */
  async look(id: string, account: Account): Promise<UploadProgress> {
    const live = await this.#find(id, account)
    try {
      if (live) return await live.look()
    } catch (error) {
      // It ended just now: told below.
      if (!live?.job.isEnded) throw error
    }
    const ended = await this.#getEnded(id, account)
    if ('published' in ended) return ended
    // A client that hears "gone" starts over. This one gives up instead, because somebody stopped it.
    if (ended.state === 'stopped' && Date.parse(ended.endedAt!) + stopToldMs > Date.now()) {
      throw new Problem('upload-locked', `The upload was stopped by ${ended.stoppedBy}.`, { job: ended })
    }
    throw gone(ended)
  }

  /** As `ResumableUpload.append`. Throws what `look` does too, but `job-stopped` after a stop. */
  async append(id: string, account: Account, piece: Piece): Promise<UploadProgress> {
    const live = await this.#find(id, account)
    if (live) return live.append(piece)
    const ended = await this.#getEnded(id, account)
    if (!('published' in ended)) throw gone(ended)
    if (piece.offset !== ended.offset) throw offsetMismatch(ended.offset, piece.offset)
    if (piece.bodySize !== 0) {
      const { offset } = ended
      throw new Problem('offset-mismatch', `The upload is whole with its ${offset} bytes: no more can come.`, {
        offset,
      })
    }
    return ended
  }

  /** Stops an upload. Throws `already-published` too. */
  async stop(id: string, account: Account): Promise<Receipt> {
    const live = await this.#find(id, account)
    if (live) return live.stop(accountName(account))
    const ended = await this.#getEnded(id, account)
    if (!('published' in ended)) throw gone(ended)
    throw new Problem('already-published', 'Too late to stop: the file is published. Remove it by its name.')
  }

  owns(job: Job): boolean {
    return this.#live.has(job.id)
  }

  /** Ends the requests under way by `reason`, and keeps the uploads for a later run. Resolves when all is on disk. */
  async close(reason: Problem): Promise<void> {
    clearInterval(this.#sweepTimer)
    await Promise.all([...this.#live.values()].map((upload) => upload.close(reason)))
    this.#endObservation()
  }

  #add(job: Job, note: UploadNote, size: number, lastUsedAt: Date): ResumableUpload {
    const upload = new ResumableUpload(this.#services, { job, note, size, lastUsedAt }, (published) => {
      this.#live.delete(job.id)
      if (published) this.#remember(note.accountId, published)
    })
    this.#live.set(job.id, upload)
    return upload
  }

  async #find(id: string, account: Account): Promise<ResumableUpload | undefined> {
    const upload = this.#live.get(id)
    if (upload && upload.job.accountId !== account.id) throw notFound(id)
    if (!upload || upload.expiresAt.getTime() > Date.now()) return upload
    // Whoever was told the time is not surprised, and the sweep may be a minute away.
    upload.expire()
    await upload.job.ended
    return undefined
  }

  /** What became of one that is not under way: for a while all of it, later, and after a restart, what its job tells. */
  async #getEnded(id: string, account: Account): Promise<UploadProgress | JobRecord> {
    const remembered = this.#published.get(id)
    if (remembered && remembered.until > Date.now()) {
      if (remembered.accountId !== account.id) throw notFound(id)
      return remembered.progress
    }
    const found = await this.#services.jobs.findRecord(id)
    if (!found || found.accountId !== account.id || found.job.kind !== 'upload' || !found.job.endedAt)
      throw notFound(id)
    const { job } = found
    if (job.state !== 'done' || Date.parse(job.endedAt!) + this.#services.keepPartialMs < Date.now()) return job
    return { id, offset: job.bytes, length: job.bytes, metadata: '', expiresAt: null, published: null }
  }

  #remember(accountId: number, progress: UploadProgress): void {
    this.#published.set(progress.id, { accountId, until: Date.now() + this.#services.keepPartialMs, progress })
    const [oldest] = this.#published.keys()
    if (this.#published.size > rememberedUploads && oldest !== undefined) this.#published.delete(oldest)
  }

  #sweep(): void {
    const now = Date.now()
    for (const upload of this.#live.values()) if (upload.expiresAt.getTime() <= now) upload.expire()
  }
}

const longestSweepMs = 60_000
const shortestSweepMs = 25
const stopToldMs = 60_000
const rememberedUploads = 1000

function noteOf(creation: Creation): UploadNote {
  const { identity, name, type, length, metadata, sha256, precondition, rateLimit } = creation
  const { account } = identity
  return {
    accountId: account.id,
    space: { role: account.role, username: account.username },
    name,
    type,
    length,
    metadata,
    sha256,
    precondition,
    createdAt: new Date().toISOString(),
    uncheckedFrom: null,
    paused: false,
    rateLimit: rateLimit ?? null,
  }
}

function notFound(id: string): Problem {
  return new Problem('upload-not-found', `There is no upload "${id}".`)
}

function gone(job: JobRecord): Problem {
  if (job.state === 'stopped') {
    return new Problem('job-stopped', `The upload was stopped by ${job.stoppedBy}.`, { stoppedBy: job.stoppedBy, job })
  }
  const why = job.error ? `: ${job.error.message}` : '.'
  return new Problem('upload-gone', `The upload has ended${why}`, { job })
}
