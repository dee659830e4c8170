import type { Readable } from 'node:stream'
import { Problem } from '../../protocol/problems.js'
import { type Identity, Revocation } from '../auth/identity.js'
import type { Job } from '../jobs/job.js'
import type { Turn } from '../jobs/job-map.js'
import type { Jobs } from '../jobs/jobs.js'
import { asProblem, endByError } from '../jobs/outcome.js'
import type { Throttle } from '../jobs/throttle.js'
import { accountName } from '../stores/accounts.js'
import type { FileStore, Partial, Precondition, StoredFile } from '../stores/files.js'
import { checkPrecondition } from '../stores/precondition.js'
import { unlessAborted } from './abortable.js'
import { BufferPool } from './buffers.js'
import { ChunkMemory } from './chunk-memory.js'
import { Flow } from './flow.js'
import type { ReceivingMemory } from './partial-writer.js'
import { receive } from './receiving.js'
import type { SpaceReservations } from './space.js'

export interface UploadServices {
  files: FileStore
  jobs: Jobs
  space: SpaceReservations
  idleTimeoutMs: number
  /** The account's own rate limit, shared by all of its transfers. */
  throttleOf(account: string): Throttle
  /** Throws when the account may not publish any more. */
  checkAccess(accountId: number): Promise<void>
}

/** What every upload says of itself, whatever door it came in by. */
export interface UploadRequest {
  identity: Identity
  jobId: string | null
  waitMs: number
  /** Bytes per second; null, the default, for none. */
  rateLimit?: number | null
  /** Aborts with `client-left` when the sender's connection is gone, with another problem when it breaks the protocol. */
  left: AbortSignal
  /** Called once when the checks are over and the body may come: the moment for `100 Continue`. */
  begin(job: Job): void
}

export interface FileUpload extends UploadRequest {
  name: string
  /** Media type. */
  type: string
  body: Readable
  /** Bytes, null where the sender does not know. */
  size: number | null
  /** As declared by the sender, 64 hexadecimal digits. */
  sha256: string | null
  precondition: Precondition
}

export interface Published {
  file: StoredFile
  created: boolean
  /** null where nothing had to be moved: the file was there already, with the same digest. */
  job: Job | null
}

/** Receives files: claim → flow → partial → digest and sync → publish → done. */
export class Uploads {
  readonly memory: ReceivingMemory = { pool: new BufferPool(), chunks: new ChunkMemory() }
  readonly #services: UploadServices

  constructor(services: UploadServices) {
    this.#services = services
  }

  /** One file as it comes. Throws what `design` calls the refusals, before `begin` is called where they can be known. */
  async receiveFile(upload: FileUpload): Promise<Published> {
    const { files, space } = this.#services
    const { account } = upload.identity
    if (upload.size !== null) space.checkSize(upload.size)
    await files.checkName(account, upload.name)
    const there = await files.find(account, upload.name)
    // The answer to an earlier try was lost: the same bytes again are a success, and not worth sending.
    if (there?.sha256 && there.sha256 === upload.sha256 && there.size === upload.size) {
      return { file: there, created: false, job: null }
    }
    // Before the body is read; the publish looks again.
    checkPrecondition(there, upload.precondition)
    return this.run(upload, { file: upload.name, totalBytes: upload.size }, upload.size ?? 0, async (run) => {
      const partial = await run.createPartial()
      upload.begin(run.job)
      await run.receive(upload.body, partial)
      const sha256 = await run.settle(partial, upload.sha256)
      await run.commit()
      const { name, type, precondition } = upload
      return { ...(await partial.publish({ space: account, name, type, sha256, precondition })), job: run.job }
    })
  }

  /** Runs `work` as an upload job: with a slot, with room for `bytes`, and with nothing left behind when it throws. */
  async run<T>(
    request: UploadRequest,
    plan: { file: string | null; totalBytes: number | null },
    bytes: number,
    work: (run: UploadRun) => Promise<T>,
  ): Promise<T> {
    const { files, jobs, space, idleTimeoutMs, throttleOf, checkAccess } = this.#services
    const { identity } = request
    const owner = { accountId: identity.account.id, account: accountName(identity.account) }
    const wish = { id: request.jobId, rateLimit: request.rateLimit ?? null }
    const job = await jobs.start({ ...plan, ...owner, ...wish, kind: 'upload' }, turnOf(request))
    const flow = new Flow({ job, shared: [throttleOf(owner.account)], idleTimeoutMs, signal: request.left })
    const endRevocation = stopWhenRevoked(job, identity)
    const endDoubt = failWhenBroken(job, request.left)
    const partials: Promise<Partial>[] = []
    const sizes: (() => number)[] = []
    let release = () => {}
    try {
      const replaces = plan.file === null ? 0 : ((await files.find(identity.account, plan.file))?.size ?? 0)
      const reservation = await space.reserve(identity.account, bytes, replaces, () => {
        return sizes.reduce((sum, size) => sum + size(), 0)
      })
      release = reservation.release
      const run: UploadRun = {
        job,
        flow,
        // Numbered before anything waits: a form may begin several at once.
        createPartial: async () => {
          const opening = files.createPartial(partials.length === 0 ? job.id : `${job.id}.${partials.length}`)
          partials.push(opening)
          const partial = await opening
          sizes.push(() => partial.size)
          return partial
        },
        receive: async (body, partial) => {
          const takeRoom = async () => {
            space.checkSize(partial.size)
            await reservation.cover(job.bytes)
          }
          const watch = watchGrowth(takeRoom, (error) => job.abort(error))
          try {
            await receive(body, partial, { flow, memory: this.memory })
            await takeRoom()
          } finally {
            watch.end()
          }
        },
        settle: async (partial, declared) => {
          const both = Promise.all([partial.sha256(), partial.sync()])
          const [sha256] = await unlessAborted(both, job.signal)
          if (declared !== null && declared !== sha256) throw digestMismatch(declared, sha256)
          return sha256
        },
        commit: async () => {
          await checkAccess(owner.accountId)
          job.commit()
        },
      }
      const result = await work(run)
      job.end({ state: 'done' })
      return result
    } catch (error) {
      const cleanedUp = await removeAll(partials)
      release()
      throw endByError(job, error, cleanedUp)
    } finally {
      release()
      flow.close()
      endRevocation()
      endDoubt()
    }
  }
}

/** What the work of one upload job is given. */
export interface UploadRun {
  job: Job
  flow: Flow
  /** A new partial; removed when the job fails. */
  createPartial(): Promise<Partial>
  receive(body: Readable, partial: Partial): Promise<void>
  /** Waits for the digest and the disk. Throws `digest-mismatch` where `declared` is another one. */
  settle(partial: Partial, declared: string | null): Promise<string>
  /** From here on it is too late for a stop. Throws the stop's reason when it came before. */
  commit(): Promise<void>
}

export function digestMismatch(declared: string, computed: string): Problem {
  const message = `What arrived has the SHA-256 ${computed}, but ${declared} was declared: send it again.`
  return new Problem('digest-mismatch', message, { declared, computed })
}

/** Rule 4: a revoked session stops what its current requests move. Returns the function that ends the watch. */
export function stopWhenRevoked(job: Job, identity: Identity): () => void {
  const { revoked } = identity
  const stop = () => {
    const by = revoked.reason instanceof Revocation ? revoked.reason.by : job.account
    // Too late is no error here: what was published stays published.
    job.stop(by).catch(() => {})
  }
  revoked.addEventListener('abort', stop)
  if (revoked.aborted) stop()
  return () => revoked.removeEventListener('abort', stop)
}

/**
 * A sender that breaks the protocol is not believed, although its body seemed complete; one that leaves after its body
 * is. Returns the function that ends the watch.
 */
function failWhenBroken(job: Job, left: AbortSignal): () => void {
  const fail = () => {
    const problem = asProblem(left.reason)
    if (problem.code !== 'client-left') job.abort(problem)
  }
  left.addEventListener('abort', fail)
  if (left.aborted) fail()
  return () => left.removeEventListener('abort', fail)
}

/** How a request waits for its turn: until it leaves, or its session is revoked. */
export function turnOf({ waitMs, left, identity }: Pick<UploadRequest, 'waitMs' | 'left' | 'identity'>): Turn {
  return { waitMs, signal: waitMs === 0 ? left : AbortSignal.any([left, identity.revoked]) }
}

/** False where one could not be removed: its upload must end all the same, or it would hold its slot for ever. */
async function removeAll(partials: Promise<Partial>[]): Promise<boolean> {
  const opened = (await Promise.allSettled(partials)).filter((result) => result.status === 'fulfilled')
  const removed = await Promise.allSettled(opened.map((result) => result.value.remove()))
  return removed.every((result) => result.status === 'fulfilled')
}

/** A body whose length nobody declared takes its room as it comes. */
export function watchGrowth(takeRoom: () => Promise<void>, onFull: (error: Problem) => void): { end(): void } {
  let busy = false
  const timer = setInterval(async () => {
    if (busy) return
    busy = true
    try {
      await takeRoom()
    } catch (error) {
      onFull(asProblem(error))
    } finally {
      busy = false
    }
  }, growthCheckMs)
  return { end: () => clearInterval(timer) }
}

const growthCheckMs = 250
