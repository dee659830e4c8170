import type { Problem } from '../../protocol/problems.js'
import type { AdvisedOptions } from './advised-options.js'
import { type OpenBytes, shown } from './decode-text.js'
import { malformedAt } from './malformed.js'

/** Invalid bytes of a text that should be UTF-8. */
interface InvalidBytes {
  readonly line: number
  readonly offset: number
  readonly bytes: Buffer
}

/**
 * The problem of a file that is not UTF-8, with the first bytes that are not, from `fromLine` on, and advice by what they look
 * like. Undefined if all is UTF-8.
 */
export async function invalidUtf8(open: OpenBytes, fromLine = 1): Promise<Problem | undefined> {
  const reader = new Utf8Reader(fromLine)
  for await (const chunk of open()) if (reader.read(chunk)) break
  const found = reader.end()
  if (!found) return undefined
  const reason = `bytes that are not UTF-8: ${shown(found.bytes)} at offset ${found.offset}`
  return malformedAt(found.line, `${reason}.`, ` ${adviceOn(reader.high)}`, fixOf(reader.high))
}

/** The bytes beyond ASCII of a text, in runs. */
interface HighBytes {
  /** Of those that are invalid as UTF-8. */
  readonly invalid: number
  /** How many characters beyond ASCII are valid UTF-8. */
  readonly valid: number
  /** Runs of one or two bytes that are not UTF-8, and longer ones. */
  readonly short: number
  readonly long: number
  /** A byte that Windows-1252 has no character for. */
  readonly undefinedInWindows: boolean
}

function adviceOn(high: HighBytes): string {
  if (high.valid > high.invalid) return 'The rest looks like UTF-8: these bytes are damaged.'
  if (looksWestern(high)) return 'It looks like Windows-1252: "--encoding windows-1252" (encoding) reads it.'
  return '"--encoding NAME" (encoding) reads another one, such as windows-1251, shift_jis or gb18030.'
}

function fixOf(high: HighBytes): { fix?: AdvisedOptions } {
  return high.valid <= high.invalid && looksWestern(high) ? { fix: { encoding: 'windows-1252' } } : {}
}

/** Western texts have one letter with an accent among those without; other scripts have words of such bytes. */
function looksWestern({ short, long, undefinedInWindows }: HighBytes): boolean {
  return !undefinedInWindows && short > 4 * long
}

/** Reads chunks up to the first invalid bytes, and then a little more to see what they look like. */
class Utf8Reader {
  readonly #fromLine: number
  #rest: Buffer = Buffer.alloc(0)
  #offset = 0
  #line = 1
  #found: InvalidBytes | undefined
  #looked = 0
  #run = 0
  readonly high = { invalid: 0, valid: 0, short: 0, long: 0, undefinedInWindows: false }

  constructor(fromLine: number) {
    this.#fromLine = fromLine
  }

  /** Returns whether it has seen enough. */
  read(chunk: Buffer): boolean {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    const used = this.#scan(bytes, bytes.length - longestSequence)
    this.#rest = bytes.subarray(used)
    this.#offset += used
    return this.#looked > lookedAfter
  }

  end(): InvalidBytes | undefined {
    this.#scan(this.#rest, this.#rest.length)
    this.#endRun()
    return this.#found
  }

  #scan(bytes: Buffer, end: number): number {
    let at = 0
    while (at < end) {
      const byte = bytes[at]!
      if (this.#found) this.#looked++
      if (byte < 0x80) {
        if (byte === 10 || (byte === 13 && bytes[at + 1] !== 10)) this.#line++
        this.#endRun()
        at++
        continue
      }
      const length = sequenceLength(bytes, at)
      if (length > 0) {
        this.high.valid++
        this.#endRun()
        at += length
        continue
      }
      if (this.#line >= this.#fromLine) this.#note(bytes, at)
      at++
    }
    return at
  }

  #note(bytes: Buffer, at: number): void {
    this.#found ??= { line: this.#line, offset: this.#offset + at, bytes: Buffer.from(bytes.subarray(at, at + 1)) }
    this.high.invalid++
    this.high.undefinedInWindows ||= undefinedInWindows.includes(bytes[at]!)
    this.#run++
  }

  #endRun(): void {
    if (this.#run > 2) this.high.long++
    else if (this.#run > 0) this.high.short++
    this.#run = 0
  }
}

/** The length of the UTF-8 sequence of two to four bytes that begins here; 0 if it is invalid. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (first < 0xc2 || first > 0xf4) return 0
  for (let next = 1; next < length; next++) if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return 0
  const second = bytes[at + 1]!
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f)) return 0
  return (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f) ? 0 : length
}

const longestSequence = 4
const lookedAfter = 256 * 1024
const undefinedInWindows = [0x81, 0x8d, 0x8f, 0x90, 0x9d]
