import { isUtf8 } from 'node:buffer'
import { maxLineBytes } from './csv-limits.js'
import type { OpenBytes } from './decode-text.js'
import { invalidUtf8 } from './invalid-utf8.js'
import { type JsonMember, ObjectFault, readObject } from './json-object.js'
import { findJsonFault } from './json-syntax.js'
import { malformedAt } from './malformed.js'

export interface JsonRecord {
  /** The line where the object begins, from 1. */
  readonly line: number
  readonly members: Map<string, JsonMember>
}

/** Whether a text is JSON: one object or array, or objects one a line. The start of a CSV can look like that of an array. */
export function looksLikeJson(head: string): boolean {
  return /^\ufeff?\s*(?:\{\s*(?:["}]|$)|\[\s*(?:[[{\]]|$))/.test(head) || isWholeArray(head)
}

/** Such as `[1, 2]`, which is no table. */
function isWholeArray(head: string): boolean {
  if (!/^\ufeff?\s*\[/.test(head)) return false
  try {
    return Array.isArray(JSON.parse(head.replace(/^\ufeff/, '')))
  } catch {
    return false
  }
}

/**
 * Reads the objects of a JSON array, or objects with a line break between them, in batches. Throws `malformed-csv` with line and
 * offset for a text that is no JSON, for other values than objects, and for a key that an object has twice.
 */
export async function* readJsonRecords(open: OpenBytes): AsyncGenerator<JsonRecord[]> {
  const reader = new JsonReader()
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of smallChunks(open())) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    const { records, used } = await guarded(() => reader.read(bytes, false), open)
    rest = bytes.subarray(used)
    if (records.length > 0) yield records
  }
  const { records } = await guarded(() => reader.read(rest, true), open)
  if (records.length > 0) yield records
}

/** The records of a chunk are in memory together; those of small ones are collected young. */
async function* smallChunks(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += smallChunkBytes) yield chunk.subarray(at, at + smallChunkBytes)
  }
}

class NotUtf8 extends Error {}

async function guarded<Result>(read: () => Result, open: OpenBytes): Promise<Result> {
  try {
    return read()
  } catch (error) {
    throw error instanceof NotUtf8 ? ((await invalidUtf8(open)) ?? error) : error
  }
}

type State = 'start' | 'first' | 'object' | 'separator' | 'end'

/** Finds the objects; what is within them is for `readObject`. */
class JsonReader {
  #state: State = 'start'
  #isArray = false
  /** Whether a line has ended since the last object. */
  #lineEnded = true
  #line = 1
  /** Of the bytes that are given next. */
  #offset = 0

  read(bytes: Buffer, final: boolean): { records: JsonRecord[]; used: number } {
    const records: JsonRecord[] = []
    let at = this.#state === 'start' ? this.#begin(bytes) : 0
    while (at < bytes.length) {
      const byte = bytes[at]!
      if (byte === LF) {
        this.#line++
        this.#lineEnded = true
      }
      if (byte === LF || byte === SPACE || byte === TAB || byte === CR) {
        at++
        continue
      }
      if (byte === OPEN && this.#takesObject()) {
        const end = objectEnd(bytes, at)
        if (end < 0) {
          if (!final && bytes.length - at <= maxLineBytes) break
          throw this.#unended(bytes, at)
        }
        if (end - at > maxLineBytes) throw this.#unended(bytes.subarray(0, end), at)
        records.push(this.#record(bytes, at, end))
        this.#state = 'separator'
        this.#lineEnded = false
        at = end
        continue
      }
      this.#separate(bytes, at)
      at++
    }
    if (final && at >= bytes.length && this.#isArray && this.#state !== 'end') {
      throw this.#fault(at, 'the array is never closed')
    }
    this.#offset += at
    return { records, used: at }
  }

  #begin(bytes: Buffer): number {
    const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
    const text = bytes.toString('latin1', start)
    const first = text.search(/\S/)
    if (first < 0) return 0
    this.#isArray = text[first] === '['
    if (!this.#isArray) {
      this.#state = 'object'
      return start
    }
    this.#state = 'first'
    this.#line += countLineEnds(bytes, start, start + first)
    return start + first + 1
  }

  #takesObject(): boolean {
    if (this.#state === 'separator') return !this.#isArray && this.#lineEnded
    return this.#state !== 'end'
  }

  /** What stands between objects. */
  #separate(bytes: Buffer, at: number): void {
    const byte = bytes[at]!
    if (this.#isArray && this.#state === 'separator' && byte === COMMA) this.#state = 'object'
    else if (this.#isArray && byte === CLOSE_ARRAY && (this.#state === 'separator' || this.#state === 'first')) {
      this.#state = 'end'
    } else throw this.#fault(at, this.#misplaced(bytes, at))
  }

  #misplaced(bytes: Buffer, at: number): string {
    const character = JSON.stringify(String.fromCodePoint(bytes.toString('utf8', at, at + 4).codePointAt(0)!))
    if (this.#state === 'end') return `${character} behind the end of the array`
    if (this.#state === 'separator' && this.#isArray) return `a comma or "]" instead of ${character}`
    if (!this.#lineEnded && !this.#isArray) return `${character} behind an object, in its line`
    if (bytes[at] === OPEN_ARRAY)
      return 'an array where an object is expected: rows are objects, as in {"name": "value"}'
    const isScalar = /^["\dtfn-]/.test(character.slice(1)) || character === '"\\""'
    return isScalar ? 'a value where an object is expected: rows are objects' : `an object instead of ${character}`
  }

  #record(bytes: Buffer, from: number, to: number): JsonRecord {
    if (!isUtf8(bytes.subarray(from, to))) throw new NotUtf8('An object is not UTF-8.')
    const text = bytes.toString('utf8', from, to)
    const line = this.#line
    try {
      const members = readObject(text)
      this.#line += countLineEnds(bytes, from, to)
      return { line, members }
    } catch (error) {
      if (!(error instanceof ObjectFault)) throw error
      throw this.#faultWithin(text, from, error)
    }
  }

  /** An object that is too long, or that the text ends in: it may have a fault before. */
  #unended(bytes: Buffer, from: number): Error {
    const known = withoutCut(bytes.subarray(from, from + maxLineBytes))
    if (!isUtf8(known)) return new NotUtf8('An object is not UTF-8.')
    const text = known.toString()
    const { at, reason } = findJsonFault(text)
    if (at < text.length || bytes.length - from <= maxLineBytes)
      return this.#faultWithin(text, from, { at, message: reason })
    const limit = maxLineBytes.toLocaleString('en')
    return this.#fault(from, `the object is longer than ${limit} bytes; perhaps a brace or a quote is never closed`)
  }

  #faultWithin(text: string, from: number, { at, message }: { at: number; message: string }): Error {
    const before = Buffer.from(text.slice(0, at))
    const line = this.#line + countLineEnds(before, 0, before.length)
    return faultAt(line, this.#offset + from + before.length, message)
  }

  #fault(at: number, reason: string): Error {
    return faultAt(this.#line, this.#offset + at, reason)
  }
}

function faultAt(line: number, offset: number, reason: string): Error {
  return malformedAt(line, `The JSON cannot be read at offset ${offset}: ${reason}.`)
}

/** The end of the object that begins at `from`; -1 if it ends behind the bytes. */
function objectEnd(bytes: Buffer, from: number): number {
  let depth = 0
  let at = from
  while (at < bytes.length) {
    const byte = bytes[at]!
    if (byte === QUOTE) {
      at++
      while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
    } else if (byte === OPEN || byte === OPEN_ARRAY) depth++
    else if ((byte === CLOSE || byte === CLOSE_ARRAY) && --depth === 0) return at + 1
    at++
  }
  return -1
}

function countLineEnds(bytes: Buffer, from: number, to: number): number {
  let count = 0
  for (let at = bytes.indexOf(LF, from); at >= 0 && at < to; at = bytes.indexOf(LF, at + 1)) count++
  return count
}

/** Without a character that is cut at the end. */
function withoutCut(bytes: Buffer): Buffer {
  for (let cut = 0; cut < 4; cut++) {
    const whole = bytes.subarray(0, bytes.length - cut)
    if (isUtf8(whole)) return whole
  }
  return bytes
}

const [LF, CR, TAB, SPACE, QUOTE, COMMA, BACKSLASH] = [10, 13, 9, 32, 34, 44, 92] as const
const smallChunkBytes = 64 * 1024
const [OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY] = [123, 125, 91, 93] as const
