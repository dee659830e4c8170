import type { Readable } from 'node:stream'
import { unlessAborted } from '../concurrency/abortable.js'
import type { ArrivingFiles } from '../jobs/arriving-files.js'
import type { Job } from '../jobs/job.js'
import { asProblem } from '../jobs/outcome.js'
import type { JobRun } from '../jobs/run-job.js'
import { accountName } from '../stores/accounts.js'
import { isDiskFull } from '../stores/disk-full.js'
import type { DeclaredDigests } from '../stores/files.js'
import type { PartialFile, PublishedPartial, PublishTarget } from '../stores/partials.js'
import { checkDigests } from './declared-digests.js'
import { Flow } from './flow.js'
import { watchGrowth } from './growth.js'
import type { ReceivingMemory } from './partial-writer.js'
import { receive } from './receiving.js'
import { checkFileSize, reserveRoom, type UploadRoom } from './room.js'
import { isByRequest } from './same-file.js'
import type { UploadRequest } from './upload-request.js'
import type { UploadServices } from './upload-services.js'

/** The parameters of an upload job's work. */
export class UploadRun {
  readonly job: Job
  readonly flow: Flow
  readonly #run: JobRun
  readonly #request: UploadRequest
  readonly #services: UploadServices
  readonly #memory: ReceivingMemory
  readonly #partials: Promise<PartialFile>[] = []
  readonly #opened: PartialFile[] = []
  #room: UploadRoom | null = null

  /** Registers its clean-ups with the job. */
  constructor(run: JobRun, request: UploadRequest, services: UploadServices, memory: ReceivingMemory) {
    const { idleTimeoutMs, throttleOf, capacity } = services
    const { left, hungUp, identity } = request
    this.job = run.job
    this.#run = run
    this.#request = request
    this.#services = services
    this.#memory = memory
    const shared = [throttleOf(accountName(identity.account))]
    this.flow = new Flow({ carrier: run.carrier, shared, idleTimeoutMs, signal: left, hungUp })
    run.onEnd(() => this.flow.close())
    run.onEnd(failWhenBroken(run, left))
    run.stopWhenRevoked(identity)
    run.onEnd(() => this.#room?.release())
    run.onFailure((error) => isDiskFull(error) && capacity.freed())
    run.onFailure(() => removeAll(this.#partials))
  }

  /** Reserves space for `bytes`. `replaces`: the name whose file the publish replaces; null for none. */
  async reserve(bytes: number, replaces: string | null): Promise<void> {
    const { job } = this
    const space = this.#request.identity.account
    const isReplaced = replaces !== null && !isByRequest(this.#request)
    const there = isReplaced ? await this.#services.files.find(space, replaces) : undefined
    const written = () => this.#opened.reduce((sum, partial) => sum + partial.size, 0)
    this.#room = await reserveRoom(this.#services, { job, space, bytes, replaces: there?.size ?? 0, written })
  }

  /** For a request whose number of files is not known before. Throws like `UploadRoom.coverFiles`. */
  async coverFiles(files: number): Promise<void> {
    await this.#room?.coverFiles(files)
  }

  /** A new partial; removed if the job does not succeed. */
  async createPartial(): Promise<PartialFile> {
    // Numbered synchronously: a form may create several at once.
    const number = this.#partials.length
    const id = this.#run.partialId
    const opening = this.#services.partials.create(number === 0 ? id : `${id}.${number}`)
    this.#partials.push(opening)
    const partial = await opening
    this.#opened.push(partial)
    return partial
  }

  async receive(body: Readable, partial: PartialFile): Promise<void> {
    const takeRoom = async () => {
      checkFileSize(this.#services.space, this.#request, partial.size)
      await this.#room?.cover(this.flow.bytes)
    }
    const watch = watchGrowth(this.job.clock, takeRoom, (error) => this.#run.abort(error))
    try {
      await receive(body, partial, { flow: this.flow, memory: this.#memory })
      await takeRoom()
    } finally {
      watch.end()
    }
  }

  /**
   * Waits for the digest and the disk. Resolves with the SHA-256; throws `digest-mismatch` if another one was declared.
   */
  async settle(partial: PartialFile, ...declared: DeclaredDigests[]): Promise<string> {
    const both = Promise.all([checkDigests(partial, declared), partial.sync()])
    return (await unlessAborted(both, this.#run.signal))[0]
  }

  /** Throws if a file of this name cannot belong to its job. */
  checkName(name: string): void {
    this.#run.checkName(name)
  }

  /** Names the files of a request that brings several. */
  bring(files: ArrivingFiles): void {
    this.#run.bring(files)
  }

  /** Publishes a partial as a file of the space of the account. */
  publish(partial: PartialFile, target: PublishTarget): Promise<PublishedPartial> {
    // The stage reserves space for all of its files: it is not needed twice.
    if (this.#run.isStaged) this.#room?.release()
    return this.#run.publish(partial, { ...target, isNumbered: isByRequest(this.#request) })
  }

  /** From here on it is too late for a stop. Throws the stop's reason if it came before. */
  async commit(): Promise<void> {
    await this.#services.checkAccess(this.job.accountId)
    this.#run.commit()
  }
}

/**
 * A client that violates the protocol fails the upload, although its body seemed complete; one that disconnects after
 * its body does not. Returns a function that ends the watch.
 */
function failWhenBroken(run: JobRun, left: AbortSignal): () => void {
  const fail = () => {
    const problem = asProblem(left.reason)
    if (problem.code !== 'client-left') run.abort(problem)
  }
  left.addEventListener('abort', fail)
  if (left.aborted) fail()
  return () => left.removeEventListener('abort', fail)
}

/** Throws if one could not be removed, after removing the others. */
async function removeAll(partials: Promise<PartialFile>[]): Promise<void> {
  const opened = (await Promise.allSettled(partials)).filter((result) => result.status === 'fulfilled')
  const removed = await Promise.allSettled(opened.map((result) => result.value.remove()))
  const failure = removed.find((result) => result.status === 'rejected')
  if (failure) throw failure.reason
}
