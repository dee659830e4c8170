import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Deferred, deferred } from '../../concurrency/deferred.js'
import type { DigestAlgorithm } from '../files.js'

export type DigestRequest =
  | { what: 'follow' | 'digest'; id: number; path: string; algorithm: DigestAlgorithm; size: number }
  | { what: 'forget'; id: number }

export type DigestAnswer =
  | { id: number; digest: string }
  | { id: number; error: TransferableError }
  | { id: number; forgotten: true }

/** The properties of an error that can be sent between threads. */
export interface TransferableError {
  message: string
  code?: string | undefined
}

/**
 * Digests of files that are being written, computed in worker threads behind the writing: SHA-256, and others on
 * request.
 */
export interface Digests {
  open(path: string): FileDigest
  close(): Promise<void>
}

export interface FileDigest {
  /** Announces that the first `size` bytes are written and can be read. */
  follow(size: number): void
  /** Also computes this digest, from the next `follow` on. */
  add(algorithm: DigestAlgorithm): void
  /**
   * The digest of the first `size` bytes, in hexadecimal digits, by default SHA-256. One call at a time per algorithm.
   */
  digest(size: number, algorithm?: DigestAlgorithm): Promise<string>
  /**
   * Discards the state; the next call starts from the file's beginning. Resolves when the threads have closed the file:
   * a removed file keeps its blocks until then.
   */
  forget(): Promise<void>
}

export function openDigests(threads = Math.min(4, Math.max(1, availableParallelism() - 1))): Digests {
  const asked = new Map<number, Deferred<string>>()
  const forgotten = new Map<number, Deferred<void>[]>()
  const workers = new Map<number, Worker>()
  let isClosed = false

  /** The thread of a file. An ended one is replaced by another, which reads the file from its start. */
  function send(request: DigestRequest): void {
    if (isClosed) {
      resolveNextForgotten(request.id)
      return
    }
    const slot = request.id % threads
    const worker = workers.get(slot) ?? start(slot)
    worker.postMessage(request)
  }

  function start(slot: number): Worker {
    const worker = new Worker(new URL('./digest-worker.js', import.meta.url))
    workers.set(slot, worker)
    worker.unref()
    worker.on('message', (answer: DigestAnswer) => {
      if ('forgotten' in answer) return resolveNextForgotten(answer.id)
      if ('digest' in answer) return takeAsked(answer.id)?.resolve(answer.digest)
      const { message, code } = answer.error
      takeAsked(answer.id)?.reject(Object.assign(new Error(`Could not compute the digest: ${message}`), { code }))
    })
    worker.on('error', (cause) => end(slot, worker, cause))
    worker.on('exit', () => end(slot, worker))
    return worker
  }

  /** Rejects the pending requests of an ended thread. */
  function end(slot: number, worker: Worker, cause?: unknown): void {
    if (workers.get(slot) !== worker) return
    workers.delete(slot)
    const ended = new Error('The thread that computes digests has ended.', { cause })
    for (const id of asked.keys()) if (id % threads === slot) takeAsked(id)?.reject(ended)
    resolveForgotten((id) => id % threads === slot)
  }

  // At once, because it needs descriptors, which may be short later.
  for (let slot = 0; slot < threads; slot++) start(slot)
  let nextId = 0

  function takeAsked(id: number) {
    const request = asked.get(id)
    asked.delete(id)
    return request
  }

  function resolveNextForgotten(id: number): void {
    const [first, ...others] = forgotten.get(id) ?? []
    if (others.length > 0) forgotten.set(id, others)
    else forgotten.delete(id)
    first?.resolve()
  }

  /** For an ended thread: it holds no file open. */
  function resolveForgotten(isOfThread: (id: number) => boolean): void {
    for (const [id, waiting] of [...forgotten]) {
      if (!isOfThread(id)) continue
      forgotten.delete(id)
      for (const { resolve } of waiting) resolve()
    }
  }

  function forget(id: number): Promise<void> {
    const done = deferred()
    forgotten.set(id, [...(forgotten.get(id) ?? []), done])
    send({ what: 'forget', id })
    return done.promise
  }

  return {
    open(path) {
      const ids = new Map<DigestAlgorithm, number>()
      const post = (what: 'follow' | 'digest', algorithm: DigestAlgorithm, size: number) => {
        const id = add(algorithm)
        send({ what, id, path, algorithm, size })
      }
      const add = (algorithm: DigestAlgorithm) => {
        const id = ids.get(algorithm) ?? nextId++
        ids.set(algorithm, id)
        return id
      }
      add('sha256')
      let followed = 0
      return {
        add,
        follow(size) {
          if (size - followed < followBytes) return
          followed = size
          for (const algorithm of ids.keys()) post('follow', algorithm, size)
        },
        digest(size, algorithm = 'sha256') {
          const answer = deferred<string>()
          asked.set(add(algorithm), answer)
          post('digest', algorithm, size)
          return answer.promise
        },
        async forget() {
          followed = 0
          await Promise.all([...ids.values()].map(forget))
        },
      }
    },
    async close() {
      isClosed = true
      await Promise.all([...workers.values()].map((worker) => worker.terminate()))
      resolveForgotten(() => true)
    },
  }
}

/** Fewer bytes are not worth a message. */
const followBytes = 1024 * 1024
