import type { IncomingMessage } from 'node:http'
import { Readable, Writable } from 'node:stream'
import { Problem } from '../../../protocol/problems.js'
import type { FormReader } from '../../transfers/form-uploads.js'
import { feed } from '../../transfers/receiving.js'
import type { BodyCheck } from '../../transfers/upload-chunks.js'
import { declaredDigests, fileFields } from '../headers/digests.js'
import { parseName } from '../headers/names.js'
import { checkOfBody } from './body-check.js'
import { checkBoundary, type FilePart, FormParser } from './form-parser.js'

/**
 * Returns a function that reads a `multipart/form-data` body and passes on its files as they arrive. Fields are
 * ignored; if `onlyField` is given, a file of another field is rejected. It resolves when the form has ended and every
 * file was received, and throws the errors of `FormParser`, `invalid-request`, and those of `onFile`. Errors that
 * follow from the headers are thrown at once.
 */
export function openForm(incoming: IncomingMessage, onlyField?: string): (reader: FormReader) => Promise<void> {
  checkBoundary(incoming.headers['content-type'])
  const check = checkOfBody(incoming)
  return (reader) => readForm(incoming, reader, check, onlyField)
}

async function readForm(
  incoming: IncomingMessage,
  { onFile, signal }: FormReader,
  check: BodyCheck,
  onlyField: string | undefined,
): Promise<void> {
  const taken: Promise<void>[] = []
  let failure: unknown
  const sink = new FormSink(incoming.headers['content-type'], (file, body) => {
    if (onlyField !== undefined && file.field !== onlyField) throw otherField(file, onlyField)
    const take = async () => {
      const digests = declaredDigests((name) => file.headers.get(name), fileFields)
      await onFile({ name: parseName(file.filename), type: file.type, digests, body, bytes: () => body.bytes })
    }
    const done = take().catch((error) => {
      failure ??= error
      body.resume()
      sink.destroy(error)
    })
    taken.push(done)
  })
  if (check.isDeclared) incoming.on('data', check.update)
  try {
    await feed(incoming, sink, signal)
  } finally {
    await Promise.all(taken)
  }
  if (failure) throw failure
  check.verify()
}

/** Throws `unsupported-media-type` if the request's body is no form. */
export function checkIsForm(contentType: string | undefined): void {
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType ?? '')) {
    throw new Problem('unsupported-media-type', 'Send the files as multipart/form-data, for example with "curl -F".')
  }
}

/** The sink of a form's stream. Applies the backpressure of the current file. */
class FormSink extends Writable {
  readonly #parser: FormParser
  #body: FileBody | null = null
  #resume: (() => void) | null = null

  constructor(contentType: string | undefined, onFile: (file: FilePart, body: FileBody) => void) {
    super()
    this.#parser = new FormParser(contentType, {
      onField() {},
      onFile: (file) => {
        const body = new FileBody(() => this.#continue())
        onFile(file, body)
        this.#body = body
        return {
          onContent: (content) => body.add(content),
          onEnd: () => {
            this.#body = null
            body.push(null)
          },
        }
      },
    })
  }

  override _write(chunk: Buffer, _: BufferEncoding, callback: (error?: Error | null) => void): void {
    try {
      this.#parser.push(chunk)
    } catch (error) {
      callback(error as Error)
      return
    }
    if (this.#body?.isFull) this.#resume = callback
    else callback()
  }

  override _final(callback: (error?: Error | null) => void): void {
    try {
      this.#parser.end()
    } catch (error) {
      callback(error as Error)
      return
    }
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#body?.destroy()
    callback(error)
  }

  #continue(): void {
    const resume = this.#resume
    this.#resume = null
    resume?.()
  }
}

/** The content of one file. */
class FileBody extends Readable {
  /** True while its buffer is full. */
  isFull = false
  /** Bytes received so far. */
  bytes = 0
  readonly #onWanted: () => void

  constructor(onWanted: () => void) {
    super()
    this.#onWanted = onWanted
  }

  add(content: Buffer): void {
    this.bytes += content.length
    this.isFull = !this.push(content)
  }

  override _read(): void {
    this.isFull = false
    this.#onWanted()
  }
}

function otherField({ field, filename }: FilePart, onlyField: string): Problem {
  const message = `The form has the file "${filename}" in its field "${field ?? ''}": only "${onlyField}" takes files.`
  return new Problem('invalid-request', message, { field: onlyField })
}
