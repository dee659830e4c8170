import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

export type DigestRequest =
  | { what: 'follow' | 'digest'; id: number; path: string; size: number }
  | { what: 'forget'; id: number }

export type DigestAnswer = { id: number; sha256: string } | { id: number; error: string }

/** SHA-256 of files that are being written, computed in worker threads behind the writing. */
export interface Digests {
  open(path: string): FileDigest
  close(): Promise<void>
}

export interface FileDigest {
  /** Says that the first `size` bytes are written and can be read. */
  follow(size: number): void
  /** The digest of the first `size` bytes, as 64 hexadecimal digits. One call at a time. */
  digest(size: number): Promise<string>
  /** Forgets what was read. The next call starts from the file's beginning. */
  forget(): void
}

export function openDigests(threads = Math.min(4, Math.max(1, availableParallelism() - 1))): Digests {
  const asked = new Map<number, { resolve(sha256: string): void; reject(error: Error): void }>()
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL('./digest-worker.js', import.meta.url))
    worker.unref()
    worker.on('message', (answer: DigestAnswer) => {
      const request = asked.get(answer.id)
      asked.delete(answer.id)
      if ('sha256' in answer) request?.resolve(answer.sha256)
      else request?.reject(new Error(`Could not compute the digest: ${answer.error}`))
    })
    return worker
  })
  let nextId = 0

  return {
    open(path) {
      const id = nextId++
      const worker = workers[id % workers.length]!
      let followed = 0
      return {
        follow(size) {
          if (size - followed < followBytes) return
          followed = size
          worker.postMessage({ what: 'follow', id, path, size } satisfies DigestRequest)
        },
        digest(size) {
          return new Promise((resolve, reject) => {
            asked.set(id, { resolve, reject })
            worker.postMessage({ what: 'digest', id, path, size } satisfies DigestRequest)
          })
        },
        forget() {
          followed = 0
          worker.postMessage({ what: 'forget', id } satisfies DigestRequest)
        },
      }
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

/** Less than this is not worth a message. */
const followBytes = 1024 * 1024
