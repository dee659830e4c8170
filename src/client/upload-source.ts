import { nodeModule } from './node-modules.js'
import { readChunks } from './transport.js'

/** A path and a `file:` URL need Node. A stream is read as far as it has been sent, once. */
export type UploadInput =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | Uint8Array
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>

/** The bytes of an upload, in order. */
export interface UploadSource {
  /** The last segment of a path, or that of a File; undefined if it has none. */
  readonly name: string | undefined
  /** Bytes; null if unknown before the end. */
  readonly size: number | null
  /** The next bytes, in memory of their own: as many as asked for, fewer only at the end. */
  next(bytes: number): Promise<Uint8Array<ArrayBuffer>>
  close(): Promise<void>
}

/** Throws a TypeError for anything else than an `UploadInput`, and the system's error for a path that cannot be read. */
export async function openSource(input: UploadInput): Promise<UploadSource> {
  if (typeof input === 'string' || input instanceof URL) return openPath(input)
  if (input instanceof Blob) return blobSource(input)
  if (input instanceof ArrayBuffer || ArrayBuffer.isView(input)) return blobSource(new Blob([input as ArrayBuffer]))
  if (isStream(input)) return streamSource(readChunks(input))
  throw new TypeError('An upload is a path, a Blob, bytes, or a stream of bytes.')
}

/** A path of this machine, or a `file:` URL. */
export async function openPath(path: string | URL): Promise<UploadSource> {
  const { open } = nodeModule('node:fs/promises')
  const file = path instanceof URL ? nodeModule('node:url').fileURLToPath(path) : path
  const name = nodeModule('node:path').basename(file).normalize('NFC')
  const handle = await open(file, 'r')
  const found = await handle.stat()
  const close = () => handle.close()
  // A pipe has no size.
  if (!found.isFile()) return { ...streamSource(handle.createReadStream({ autoClose: false })), name, close }
  let at = 0
  return {
    name,
    size: found.size,
    async next(bytes) {
      const buffer = new Uint8Array(Math.min(bytes, found.size - at))
      let filled = 0
      while (filled < buffer.length) {
        const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, at + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      at += filled
      return filled === buffer.length ? buffer : buffer.slice(0, filled)
    },
    close,
  }
}

function blobSource(blob: Blob): UploadSource {
  let at = 0
  return {
    name: 'name' in blob && typeof blob.name === 'string' ? blob.name : undefined,
    size: blob.size,
    async next(bytes) {
      const chunk = new Uint8Array(await blob.slice(at, at + bytes).arrayBuffer())
      at += chunk.length
      return chunk
    },
    close: async () => {},
  }
}

function streamSource(stream: AsyncIterable<Uint8Array>): UploadSource {
  const chunks = stream[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array()
  return {
    name: undefined,
    size: null,
    async next(bytes) {
      const buffer = new Uint8Array(bytes)
      let filled = 0
      while (filled < bytes) {
        if (rest.length === 0) {
          const { done, value } = await chunks.next()
          if (done) break
          if (!(value instanceof Uint8Array)) throw new TypeError('The chunks of a stream must be Uint8Arrays.')
          rest = value
        }
        const taken = rest.subarray(0, bytes - filled)
        buffer.set(taken, filled)
        filled += taken.length
        rest = rest.subarray(taken.length)
      }
      return filled === bytes ? buffer : buffer.slice(0, filled)
    },
    async close() {
      await chunks.return?.()
    },
  }
}

function isStream(input: unknown): input is ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> {
  return typeof input === 'object' && input !== null && (Symbol.asyncIterator in input || 'getReader' in input)
}
