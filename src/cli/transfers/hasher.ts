import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'

/** Computes a SHA-256 in parallel with the transfer. */
export interface Hasher {
  /** Takes the next chunk; resolves when it has been read, so that its memory may be reused. */
  update(chunk: Buffer): Promise<void>
  /** The digest of all chunks; no chunk may follow. */
  digest(): Promise<Buffer>
  /** Releases resources. Closing twice is not an error. */
  close(): void
}

/** From this size on, the start of a thread (some 40 ms) pays off. */
const threadBytes = 32 * 1024 ** 2

/** A worker thread hashes large files and streams of unknown length, because hashing takes as long as the transfer. */
export function openHasher(expectedBytes: number | null): Hasher {
  return expectedBytes !== null && expectedBytes < threadBytes ? inlineHasher() : threadHasher()
}

function inlineHasher(): Hasher {
  const hash = createHash('sha256')
  return {
    async update(chunk) {
      hash.update(chunk)
    },
    digest: async () => hash.digest(),
    close() {},
  }
}

function threadHasher(): Hasher {
  const worker = new Worker(new URL('./hash-worker.js', import.meta.url))
  /** Replies arrive in the order of the requests. */
  const waiting: PromiseWithResolvers<Uint8Array>[] = []
  let failure: Error | undefined
  worker.on('message', (answer: Uint8Array) => waiting.shift()?.resolve(answer))
  const fail = (error: Error) => {
    failure ??= error
    for (const { reject } of waiting.splice(0)) reject(failure)
  }
  worker.on('error', fail).on('exit', () => fail(new Error('The thread that computes the digest has ended.')))
  const ask = (chunk: Buffer | null) => {
    if (failure) throw failure
    const question = withResolvers<Uint8Array>()
    waiting.push(question)
    worker.postMessage(chunk)
    return question.promise
  }
  return {
    async update(chunk) {
      await ask(chunk)
    },
    digest: async () => Buffer.from(await ask(null)),
    close() {
      void worker.terminate()
    },
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: Error): void
}

/** Like `Promise.withResolvers`, which Node has since version 22. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
