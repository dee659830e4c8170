import { FormFault } from './form-fault.js'

/** Receives the parts in order. Errors of its methods are thrown by `push`. */
export interface ScannedParts {
  onPartBegin(): void
  /** The headers, without the empty line after them. */
  onHeaders(block: Buffer): void
  /** More content; a view of the pushed chunk. */
  onContent(content: Buffer): void
  onPartEnd(): void
}

/**
 * Finds the parts of a multipart body (RFC 2046 section 5.1.1) in chunks of any size. Each byte is counted as content
 * or as framing, and the sum must be the length of the body: nothing can be lost between two parts. Errors are
 * `FormFault`s.
 */
export class BoundaryScanner {
  readonly #delimiter: Buffer
  readonly #parts: ScannedParts
  #state: 'preamble' | 'headers' | 'content' | 'epilogue' = 'preamble'
  /** Bytes that cannot be classified before the next chunk. The start of the body counts as the start of a line. */
  #rest: Buffer = lineEnd
  /** A line end that belongs to the framing if a delimiter follows it. */
  #ownLineEnd = lineEnd.length
  #received = lineEnd.length
  #content = 0
  #framing = 0
  #blanks = 0

  constructor(boundary: string, parts: ScannedParts) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
    this.#parts = parts
  }

  push(chunk: Buffer): void {
    this.#received += chunk.length
    const buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (let next = at; at < buffer.length; at = next) {
      next = this.#step(buffer, at)
      if (next === at) break
    }
    this.#rest = buffer.subarray(at)
  }

  /** Throws if the closing boundary is missing. */
  end(): void {
    if (this.#state !== 'epilogue') throw new FormFault(endings[this.#state])
    const counted = this.#content + this.#framing
    if (counted !== this.#received) throw new Error(`A form of ${this.#received} bytes was read as ${counted} bytes.`)
  }

  /** Returns the end of the bytes consumed from `at` on; `at` if it needs more bytes. */
  #step(buffer: Buffer, at: number): number {
    if (this.#state === 'headers') return this.#readHeaders(buffer, at)
    if (this.#state === 'epilogue') return this.#pass(buffer, at, buffer.length)
    const found = buffer.indexOf(this.#delimiter, at)
    if (found !== at) return this.#pass(buffer, at, found < 0 ? this.#safeEnd(buffer, at) : found)
    const end = at + this.#delimiter.length
    const line = readLine(buffer, end)
    if (line === 'incomplete') return at
    if (line === 'content') return this.#pass(buffer, at, end)
    if (this.#state === 'content') this.#parts.onPartEnd()
    this.#ownLineEnd = 0
    this.#state = line.isLast ? 'epilogue' : 'headers'
    if (!line.isLast) this.#parts.onPartBegin()
    this.#framing += line.end - at
    return line.end
  }

  /**
   * The line end of the boundary line is kept in front of the headers, so that an empty header block is found in the
   * same way.
   */
  #readHeaders(buffer: Buffer, at: number): number {
    const end = buffer.indexOf(headersEnd, at)
    if ((end < 0 ? buffer.length : end) - at > maxHeaderBytes) {
      throw new FormFault(`has headers of more than ${maxHeaderBytes} bytes`)
    }
    if (end < 0) return at
    this.#parts.onHeaders(buffer.subarray(Math.min(at + lineEnd.length, end), end))
    this.#state = 'content'
    this.#framing += end + lineEnd.length - at
    this.#ownLineEnd = lineEnd.length
    return end + lineEnd.length
  }

  /** Passes on the content before `end`, or checks that there are only blanks outside the parts. */
  #pass(buffer: Buffer, at: number, end: number): number {
    const own = Math.min(this.#ownLineEnd, end - at)
    this.#ownLineEnd -= own
    this.#framing += own
    const from = at + own
    if (from === end) return end
    if (this.#state === 'content') {
      this.#content += end - from
      this.#parts.onContent(buffer.subarray(from, end))
      return end
    }
    this.#framing += end - from
    this.#blanks += end - from
    // RFC 2046 allows a preamble and an epilogue to be ignored, but a part with a damaged boundary would look like one.
    if (!isBlank(buffer.subarray(from, end))) throw new FormFault(strayBytes[this.#state as 'preamble' | 'epilogue'])
    if (this.#blanks > maxBlanks) throw new FormFault('has too many blank lines around its parts')
    return end
  }

  /** Where a delimiter may start that the next chunk completes: only at the last CR. */
  #safeEnd(buffer: Buffer, at: number): number {
    const first = Math.max(at, buffer.length - this.#delimiter.length + 1)
    const cr = buffer.subarray(first).lastIndexOf(0x0d)
    if (cr < 0) return buffer.length
    const tail = buffer.subarray(first + cr)
    return this.#delimiter.subarray(0, tail.length).equals(tail) ? first + cr : buffer.length
  }
}

/**
 * The rest of the boundary line: blanks and a line end, `--` for the last one, or content that only has the boundary as
 * a prefix.
 */
function readLine(buffer: Buffer, at: number): { isLast: boolean; end: number } | 'content' | 'incomplete' {
  const [first, second] = [buffer[at], buffer[at + 1]]
  if (first === undefined) return 'incomplete'
  if (first === dash)
    return second === dash ? { isLast: true, end: at + 2 } : second === undefined ? 'incomplete' : 'content'
  let end = at
  while (buffer[end] === space || buffer[end] === tab) end++
  if (end - at > maxPadding) throw new FormFault('has a boundary with too many blanks behind it')
  const [cr, lf] = [buffer[end], buffer[end + 1]]
  if (cr === undefined || (cr === 0x0d && lf === undefined)) return 'incomplete'
  if (cr === 0x0d && lf === 0x0a) return { isLast: false, end }
  if (end === at && cr !== 0x0d && cr !== 0x0a) return 'content'
  throw new FormFault('has a boundary whose line does not end with CR and LF')
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === space || byte === tab || byte === 0x0d || byte === 0x0a)
}

const lineEnd = Buffer.from('\r\n')
const headersEnd = Buffer.from('\r\n\r\n')
const [dash, space, tab] = [0x2d, 0x20, 0x09]
const maxHeaderBytes = 16 * 1024
const maxBlanks = 64 * 1024
const maxPadding = 1024

const endings = {
  preamble: 'ends before its first boundary',
  headers: 'ends in its headers',
  content: 'has no boundary at its end: the rest of the form is missing',
} as const

const strayBytes = {
  preamble: 'has something before its first boundary',
  epilogue: 'has something behind its last boundary',
} as const
