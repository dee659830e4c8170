import { Filejobs } from '../../dist/client/filejobs.js'
import type { Caller } from './calls.js'

/** The library as a caller of a test uses it; by another URL, such as that of a proxy. */
export function libraryOf(caller: Caller, url = caller.url): Filejobs {
  return new Filejobs({ server: url, token: caller.token })
}

/** More than one request of the library carries. */
export const largeBytes = 6 * 1024 ** 2

/** Bytes that repeat at no power of two, so that none is at the wrong place unnoticed. */
export function patternOf(bytes: number): Buffer<ArrayBuffer> {
  return Buffer.alloc(bytes, 'abcdefghijklm')
}

/** A stream of chunks of another size than those of requests. */
export async function* chunksOf(content: Buffer, chunkBytes = 100_003): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += chunkBytes) yield content.subarray(at, at + chunkBytes)
}

/** What an iterable gives, to its end. */
export async function allOf<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}

/** The error that a promise rejects with. */
export function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`It did not fail: ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
}
