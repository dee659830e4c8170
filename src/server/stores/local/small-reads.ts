import { Worker } from 'node:worker_threads'
import { type Deferred, deferred } from '../../concurrency/deferred.js'

/** A version of a small file at its real path. */
export interface SmallFile {
  path: string
  size: number
  /** `StoredFile.version` */
  version: string
}

export interface SmallReadsRequest {
  id: number
  files: SmallFile[]
}

export interface SmallReadsAnswer {
  id: number
  /** The bytes of all files, one after another; those of a file that was not read are undefined. */
  bytes: Uint8Array
  isRead: boolean[]
}

/** Reads many small files at once in a worker thread: asynchronous calls for each would take ten times as long. */
export interface SmallReads {
  /** The bytes of each file; undefined if it is not this version, before or after reading it. */
  read(files: SmallFile[]): Promise<(Uint8Array | undefined)[]>
  close(): Promise<void>
}

/** The thread starts with the first request. */
export function openSmallReads(): SmallReads {
  const asked = new Map<number, Deferred<SmallReadsAnswer>>()
  let nextId = 0
  let worker: Worker | null = null

  function start(): Worker {
    const started = new Worker(new URL('./small-read-worker.js', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    started.unref()
    started.on('message', (answer: SmallReadsAnswer) => {
      asked.get(answer.id)?.resolve(answer)
      asked.delete(answer.id)
    })
    started.on('error', (error) => end(started, error))
    started.on('exit', () => end(started, new Error('The thread that reads small files has ended.')))
    return started
  }

  function end(ended: Worker, error: Error): void {
    if (worker !== ended) return
    worker = null
    for (const request of asked.values()) request.reject(error)
    asked.clear()
  }

  return {
    async read(files) {
      const id = nextId++
      const answer = deferred<SmallReadsAnswer>()
      asked.set(id, answer)
      worker ??= start()
      worker.postMessage({ id, files } satisfies SmallReadsRequest)
      const { bytes, isRead } = await answer.promise
      let at = 0
      return files.map(({ size }, index) => {
        const own = bytes.subarray(at, at + size)
        at += size
        return isRead[index] ? own : undefined
      })
    },
    async close() {
      const open = worker
      worker = null
      await open?.terminate()
    },
  }
}
