import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'

/** Computes a SHA-256 beside the transfer. */
export interface Hasher {
  /** Takes the next chunk; settles when it has been read, so that its memory may be used again. */
  update(chunk: Buffer): Promise<void>
  /** The digest of all chunks; nothing may follow. */
  digest(): Promise<Buffer>
  /** Lets go of what is open. Closing twice is not an error. */
  close(): void
}

/** From here on the start of a thread, some 40 ms, is won back. */
const threadBytes = 32 * 1024 ** 2

/** A thread of its own computes the digest of much (or of who knows how much), because it takes as long as the transfer. */
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
  /** Answers come in the order of the questions. */
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

/** As `Promise.withResolvers`, which Node has from version 22 on. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
