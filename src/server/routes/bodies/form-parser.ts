import { createHash } from 'node:crypto'
import { compareDigests } from '../../transfers/declared-digests.js'
import { declaredDigests, fileFields } from '../headers/digests.js'
import { BoundaryScanner } from './boundary-scanner.js'
import { FormFault, type PartPlace, refuseForm } from './form-fault.js'
import { parseParameters } from './header-parameters.js'
import { type PartHeaders, parsePartHeaders } from './part-headers.js'

/** A part of a form with a file name. */
export type FilePart = PartHeaders & { filename: string }

export interface FormHandlers {
  /** A file starts. An error thrown here rejects the form. */
  onFile(file: FilePart): PartReader
  /** A field is complete. */
  onField(field: PartHeaders, value: Buffer): void
}

/** Receives the content of a part. */
export interface PartReader {
  onContent(content: Buffer): void
  onEnd(): void
}

/**
 * Parses a `multipart/form-data` body (RFC 7578) incrementally. Every part is a file, a field, an empty file input,
 * which is ignored, or an error for the whole form that names the part. Throws `invalid-request`, and
 * `unsupported-media-type` for an encoded part.
 */
export class FormParser {
  readonly #handlers: FormHandlers
  readonly #scanner: BoundaryScanner
  #parts = 0
  /** The current part; null outside the parts. */
  #place: PartPlace | null = null
  #reader: PartReader = emptyFile

  constructor(contentType: string | undefined, handlers: FormHandlers) {
    this.#handlers = handlers
    this.#scanner = this.#orRefuse(
      () =>
        new BoundaryScanner(boundaryOf(contentType ?? ''), {
          onPartBegin: () => this.#begin(),
          onHeaders: (block) => this.#open(block),
          onContent: (content) => this.#reader.onContent(content),
          onPartEnd: () => this.#end(),
        }),
    )
  }

  push(chunk: Buffer): void {
    this.#orRefuse(() => this.#scanner.push(chunk))
  }

  /** Throws if the form is incomplete. */
  end(): void {
    this.#orRefuse(() => this.#scanner.end())
  }

  #begin(): void {
    this.#parts += 1
    if (this.#parts > maxParts) throw new FormFault(`has more than ${maxParts} parts`)
    this.#place = { number: this.#parts }
  }

  #open(block: Buffer): void {
    const part = parsePartHeaders(block)
    this.#place = { number: this.#parts, field: part.field, filename: part.filename }
    this.#reader = checkLength(part, this.#readerOf(part))
  }

  #readerOf(part: PartHeaders): PartReader {
    const { filename } = part
    if (filename === null) {
      return readField((value) => {
        checkDigests(part, value)
        this.#handlers.onField(part, value)
      })
    }
    if (filename !== '') return this.#handlers.onFile({ ...part, filename })
    // Browsers send an empty file input as a file without a name and content.
    checkDigests(part, Buffer.alloc(0))
    return emptyFile
  }

  #end(): void {
    this.#reader.onEnd()
    this.#place = null
  }

  #orRefuse<T>(work: () => T): T {
    return refusing(() => this.#place, work)
  }
}

function refusing<T>(place: () => PartPlace | null, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof FormFault ? refuseForm(error, place()) : error
  }
}

/** Throws `invalid-request` if a form with this `Content-Type` cannot be read. */
export function checkBoundary(contentType: string | undefined): void {
  refusing(
    () => null,
    () => boundaryOf(contentType ?? ''),
  )
}

/** RFC 2046 section 5.1.1: 1 to 70 characters, not ending in a blank; a few more are harmless. */
function boundaryOf(contentType: string): string {
  const boundary = parseParameters(contentType).parameters.get('boundary') ?? ''
  if (/^[\x20-\x7e]{0,199}[\x21-\x7e]$/.test(boundary)) return boundary
  throw new FormFault('has no boundary in its Content-Type that can be read')
}

const emptyFile: PartReader = {
  onContent() {
    throw new FormFault('is a file with no file name')
  },
  onEnd() {},
}

function readField(onValue: (value: Buffer) => void): PartReader {
  const chunks: Buffer[] = []
  let bytes = 0
  return {
    onContent(content) {
      bytes += content.length
      if (bytes > maxFieldBytes) throw new FormFault(`is a field of more than ${maxFieldBytes} bytes`)
      chunks.push(content)
    },
    onEnd: () => onValue(Buffer.concat(chunks)),
  }
}

/** A declared length reveals that content was cut by text that looks like a boundary. */
function checkLength({ length }: PartHeaders, reader: PartReader): PartReader {
  if (length === null) return reader
  let bytes = 0
  return {
    onContent(content) {
      bytes += content.length
      reader.onContent(content)
    },
    onEnd() {
      if (bytes !== length) throw new FormFault(`has ${bytes} bytes, but its Content-Length is ${length}`)
      reader.onEnd()
    },
  }
}

/** Those of a file are verified where it is stored. */
function checkDigests({ headers }: PartHeaders, value: Buffer): void {
  const declared = declaredDigests((name) => headers.get(name), fileFields)
  compareDigests(declared, (algorithm) => createHash(algorithm).update(value).digest('hex'))
}

const maxParts = 1000
const maxFieldBytes = 64 * 1024
