import { Worker } from 'node:worker_threads'
import { type Deferred, deferred } from '../../concurrency/deferred.js'
import type { Space } from '../files.js'
import type { NewFile, NewFileResult, SmallFiles } from '../small-files.js'
import type { Batch, BatchAnswer, BatchRequest, BatchResult } from './batch-messages.js'
import type { FileLocks } from './file-locks.js'
import { receiveError } from './sent-errors.js'

/** Real paths. */
export interface BatchWorkerFolders {
  uploads: string
  partial: string
  meta: string
}

export interface SmallFileServices {
  folders: BatchWorkerFolders
  locks: FileLocks
  /** Throws `storage-unavailable` if the folder of the files is missing. */
  checkFolder(): Promise<void>
}

/** Small files, written by a worker thread that is started for the first of them. */
export class LocalSmallFiles implements SmallFiles {
  readonly #services: SmallFileServices
  readonly #asked = new Map<number, Deferred<BatchResult[]>>()
  #worker: Worker | null = null
  #nextId = 0

  constructor(services: SmallFileServices) {
    this.#services = services
  }

  prepare(): void {
    this.#worker ??= this.#start()
  }

  publish(space: Space, files: readonly NewFile[]): Promise<NewFileResult[]> {
    return this.publishInto(undefined, this.#services.locks, space, files)
  }

  /** Like `publish`, into a stage that has locks of its own. */
  publishInto(
    stage: Batch['stage'],
    locks: FileLocks,
    space: Space,
    files: readonly NewFile[],
  ): Promise<NewFileResult[]> {
    const names = files.map(({ name }) => name)
    return locks.holdAll(space, names, async () => {
      await this.#services.checkFolder()
      return (
        await this.#ask({ ...batchOf(space, files), stage: stage && { uploads: stage.uploads, meta: stage.meta } })
      ).map(resultOf)
    })
  }

  async close(): Promise<void> {
    const open = this.#worker
    this.#worker = null
    await open?.terminate()
  }

  #ask(batch: Batch): Promise<BatchResult[]> {
    const request: BatchRequest = { id: this.#nextId++, batch }
    const answer = deferred<BatchResult[]>()
    this.#asked.set(request.id, answer)
    this.#worker ??= this.#start()
    this.#worker.postMessage(request, [batch.bytes.buffer])
    return answer.promise
  }

  #start(): Worker {
    const worker = new Worker(new URL('./batch-worker.js', import.meta.url), {
      workerData: this.#services.folders,
      // The garbage of a batch is collected early, instead of growing the process.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    worker.unref()
    worker.on('message', (answer: BatchAnswer) => {
      const request = this.#asked.get(answer.id)
      this.#asked.delete(answer.id)
      if ('results' in answer) request?.resolve(answer.results)
      else request?.reject(receiveError(answer.error))
    })
    worker.on('error', (error) => this.#end(worker, error))
    worker.on('exit', () => this.#end(worker, new Error('The thread that writes small files has ended.')))
    return worker
  }

  #end(ended: Worker, error: Error): void {
    if (this.#worker === ended) this.#worker = null
    for (const request of this.#asked.values()) request.reject(error)
    this.#asked.clear()
  }
}

/** An account is a space too, but its password hash must not be passed on. */
function batchOf({ role, username }: Space, files: readonly NewFile[]): Batch {
  const bytes = new Uint8Array(files.reduce((sum, file) => sum + file.bytes.length, 0))
  let at = 0
  const batched = files.map(({ bytes: own, ...file }) => {
    bytes.set(own, at)
    at += own.length
    return { ...file, size: own.length }
  })
  return { role, username, files: batched, bytes }
}

function resultOf(result: BatchResult): NewFileResult {
  return result.status === 'failed' ? { status: 'failed', error: receiveError(result.error) } : result
}
