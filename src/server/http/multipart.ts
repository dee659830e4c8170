import type { IncomingMessage } from 'node:http'
import busboy from 'busboy'
import { Problem } from '../../protocol/problems.js'
import type { FormReader } from '../transfers/form-uploads.js'
import { feed } from '../transfers/receiving.js'
import { parseName } from './names.js'

/**
 * Reads a `multipart/form-data` body (RFC 7578) and hands over its files as they come: of every field, or of `onlyField`.
 * All else is passed over. Resolves when the form has ended and every file was taken. Throws `unsupported-media-type`,
 * `invalid-request` where the form is malformed or beyond the limits, and whatever `onFile` throws.
 */
export async function readForm(
  incoming: IncomingMessage,
  { onFile, fileBytes, signal }: FormReader,
  onlyField?: string,
): Promise<void> {
  const parser = openParser(incoming)
  const taken: Promise<void>[] = []
  let failure: unknown
  parser.on('file', (field, body, { filename, mimeType }) => {
    // From the first moment on: a form that breaks off at once breaks its file before anybody reads it.
    body.on('error', () => {})
    if (onlyField !== undefined && field !== onlyField) return void body.resume()
    const take = async () => onFile({ name: nameOf(filename), type: mimeType, body })
    const done = take().catch((error) => {
      failure ??= error
      body.resume()
      parser.destroy(error)
    })
    taken.push(done)
  })
  const beyond = (what: string) => parser.destroy(malformed(`it has ${what}`))
  parser.on('partsLimit', () => beyond(`more than ${maxParts} parts`))
  parser.on('field', (_name, _value, { valueTruncated }) => {
    if (valueTruncated) beyond(`a field of more than ${maxFieldBytes} bytes`)
  })
  let bytes = 0
  const onData = (chunk: Buffer) => {
    bytes += chunk.length
    // The parser passes over what stands before the first part, after the last one, and beyond a field's limit.
    if (bytes - fileBytes() > maxBytesBesideFiles) beyond(`more than ${maxBytesBesideFiles} bytes beside its files`)
  }
  incoming.on('data', onData)
  try {
    await feed(incoming, parser, signal)
  } catch (error) {
    // A file that is torn off tells of it too, but it is the form that is at fault.
    const isOurs = error instanceof Problem || signal.aborted || error === failure
    throw isOurs ? error : malformed(error instanceof Error ? error.message : String(error))
  } finally {
    incoming.off('data', onData)
    await Promise.all(taken)
  }
  if (failure) throw failure
}

/** Throws `unsupported-media-type` where the request's body is no form. */
export function checkIsForm(contentType: string | undefined): void {
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType ?? '')) {
    throw new Problem('unsupported-media-type', 'Send the files as multipart/form-data, for example with "curl -F".')
  }
}

function openParser(incoming: IncomingMessage): busboy.Busboy {
  try {
    return busboy({ headers: incoming.headers, preservePath: true, defParamCharset: 'utf8', limits })
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error))
  }
}

const maxParts = 1000
const maxFieldBytes = 64 * 1024
/** The parser itself limits the headers of a part to so much. */
const maxHeaderBytes = 16 * 1024
const maxBytesBesideFiles = maxParts * (maxFieldBytes + maxHeaderBytes)
/** The parser counts the last boundary as one more part. */
const limits = { parts: maxParts + 1, fieldSize: maxFieldBytes + 1 }

function nameOf(filename: string | undefined): string {
  if (filename === undefined) {
    throw new Problem('invalid-request', 'A file of the form has no file name.', { field: 'filename' })
  }
  // What the parser puts where a name is not UTF-8: storing it would be a repair in silence.
  if (filename.includes('\ufffd')) {
    throw new Problem('invalid-request', `The name ${JSON.stringify(filename)} is not UTF-8.`, { field: 'filename' })
  }
  return parseName(filename)
}

function malformed(why: string): Problem {
  return new Problem('invalid-request', `The form is malformed: ${why}.`)
}
