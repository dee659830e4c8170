import { paxDigest } from '../../protocol/archives.js'
import { Failure } from '../exit-codes.js'

/** A file in a tar. */
export interface TarMember {
  readonly name: string
  /** Undefined if it is larger than the reader keeps. */
  readonly content: Buffer | undefined
  /** From the record `FILEJOBS.sha256`. */
  readonly sha256: string | undefined
}

/**
 * Reads a tar (POSIX.1-2001 pax, ustar) of small files, chunk by chunk. Skips everything but files. Synchronous, because a
 * stream for each of thousands of files would take longer than their bytes.
 */
export class TarReader {
  readonly #maxBytes: number
  readonly #chunks: Buffer[] = []
  #buffered = 0
  /** Bytes to collect before parsing can continue. */
  #needed = block
  /** Bytes of a member that is too large, yet to be skipped. */
  #skipped = 0
  #records = new Map<string, string>()
  #hasEnded = false

  /** `maxBytes`: larger members are returned without their content. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Takes the next chunk, and returns the files that are complete now. Throws a Failure if this is not a tar. */
  push(chunk: Buffer): TarMember[] {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    const members: TarMember[] = []
    if (this.#buffered < this.#needed) return members
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    for (;;) {
      const skipped = Math.min(this.#skipped, rest.length)
      this.#skipped -= skipped
      rest = rest.subarray(skipped)
      const used = this.#hasEnded ? rest.length : this.#read(rest, members)
      if (used === 0) break
      rest = rest.subarray(used)
    }
    this.#chunks.splice(0, this.#chunks.length, rest)
    this.#buffered = rest.length
    return members
  }

  /** Throws `ECONNRESET` if the tar ended too early. */
  end(): void {
    if (!this.#hasEnded) throw Object.assign(new Error('the tar ended too early'), { code: 'ECONNRESET' })
  }

  /** Parses one header and its data. Returns the bytes consumed; 0 if more are needed. */
  #read(bytes: Buffer, members: TarMember[]): number {
    this.#needed = block
    if (bytes.length < block) return 0
    if (isEmpty(bytes)) {
      this.#hasEnded = true
      return block
    }
    checkSum(bytes)
    const type = String.fromCharCode(bytes[typeAt]!)
    const isFile = type === '0' || type === '\0'
    const size = this.#sizeOf(bytes, isFile)
    const end = block + Math.ceil(size / block) * block
    if (isFile && size > this.#maxBytes) {
      members.push({ name: this.#nameOf(bytes), content: undefined, sha256: undefined })
      this.#records.clear()
      this.#skipped = end - block
      return block
    }
    this.#needed = end
    if (bytes.length < end) return 0
    const content = bytes.subarray(block, block + size)
    if (type === 'x') this.#records = recordsOf(content)
    else {
      if (isFile) {
        members.push({ name: this.#nameOf(bytes), content, sha256: this.#records.get(paxDigest) })
      }
      this.#records.clear()
    }
    this.#needed = block
    return end
  }

  #nameOf(header: Buffer): string {
    const prefix = textAt(header, prefixAt, 155)
    const name = textAt(header, 0, 100)
    return this.#records.get('path') ?? (prefix === '' ? name : `${prefix}/${name}`)
  }

  #sizeOf(header: Buffer, isFile: boolean): number {
    const own = isFile ? this.#records.get('size') : undefined
    const size = own === undefined ? Number.parseInt(textAt(header, sizeAt, 12).trim() || '0', 8) : Number(own)
    if (!Number.isSafeInteger(size) || size < 0) throw noTar('a size is damaged')
    return size
  }
}

/** `LENGTH KEYWORD=VALUE\n`, one after the other. */
function recordsOf(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(' ', at)
    const length = Number(bytes.toString('latin1', at, space))
    const equals = bytes.indexOf('=', space)
    if (!(length > 0) || equals < 0 || at + length > bytes.length) throw noTar('an extended header is damaged')
    records.set(bytes.toString('utf8', space + 1, equals), bytes.toString('utf8', equals + 1, at + length - 1))
    at += length
  }
  return records
}

/** The checksum is computed as if its own field were blank. */
function checkSum(header: Buffer): void {
  let sum = 8 * 32
  for (let at = 0; at < block; at += 1) if (at < sumAt || at >= sumAt + 8) sum += header[at]!
  if (Number.parseInt(textAt(header, sumAt, 8).trim(), 8) !== sum) throw noTar('a header is damaged')
}

function isEmpty(header: Buffer): boolean {
  for (let at = 0; at < block; at += 1) if (header[at] !== 0) return false
  return true
}

function textAt(header: Buffer, start: number, length: number): string {
  const end = header.indexOf(0, start)
  return header.toString('utf8', start, end < 0 || end > start + length ? start + length : end)
}

function noTar(why: string): Failure {
  return new Failure('unexpected', `The server sent an invalid tar: ${why}.`)
}

const block = 512
const sizeAt = 124
const sumAt = 148
const typeAt = 156
const prefixAt = 345
