import { Writable } from 'node:stream'
import type { Extract } from 'tar-stream'
import { malformedTar } from './tar-problems.js'

/** Passes a body to the parser, and records how it began and ended, which the parser does not report. */
export class TarFeed extends Writable {
  readonly #extract: Extract
  #received = 0
  #tail = Buffer.alloc(0)

  constructor(extract: Extract) {
    super({ highWaterMark: 256 * 1024 })
    this.#extract = extract
  }

  override _write(chunk: Buffer, _: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#received === 0 && chunk[0] === gzip[0] && chunk[1] === gzip[1]) {
      callback(
        malformedTar('it is compressed by gzip: send it uncompressed, for example by "gunzip -c x.tgz | curl -T - …"'),
      )
      return
    }
    this.#received += chunk.length
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-endMarkerBytes)]).subarray(-endMarkerBytes)
    if (this.#extract.write(chunk)) callback()
    else this.#extract.once('drain', () => callback())
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#extract.end(null)
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (error) this.#extract.destroy(error)
    callback(error)
  }

  /** Throws if the end marker, two blocks of zeros, is missing. `end`: where the last entry ended. */
  checkEnd(end: number): void {
    if (this.#received - end >= endMarkerBytes && this.#tail.every((byte) => byte === 0)) return
    throw malformedTar('its end marker is missing, so something may be missing before it: send it again')
  }
}

const endMarkerBytes = 1024
/** RFC 1952 section 2.3.1. */
const gzip = [0x1f, 0x8b]
