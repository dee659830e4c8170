import type { IncomingMessage } from 'node:http'
import busboy from 'busboy'
import { Problem } from '../../protocol/problems.js'
import type { FormFile } from '../transfers/form-uploads.js'
import { feed } from '../transfers/receiving.js'
import { parseName } from './names.js'

/**
 * Reads a `multipart/form-data` body (RFC 7578) and hands over its files as they come. Other fields are passed over.
 * Resolves when the form has ended and every file was taken. Throws `unsupported-media-type`, `invalid-request` where
 * the form is malformed or beyond the limits, and whatever `onFile` throws.
 */
export async function readForm(
  incoming: IncomingMessage,
  onFile: (file: FormFile) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const parser = openParser(incoming)
  const taken: Promise<void>[] = []
  parser.on('file', (_field, body, { filename, mimeType }) => {
    const take = async () => onFile({ name: nameOf(filename), type: mimeType, body })
    const done = take().catch((error) => {
      body.on('error', () => {}).resume()
      parser.destroy(error)
      throw error
    })
    done.catch(() => {})
    taken.push(done)
  })
  const beyond = (what: string) => () => parser.destroy(malformed(`it has ${what}`))
  parser.on('partsLimit', beyond(`more than ${limits.parts} parts`))
  parser.on('field', (_name, _value, { valueTruncated, nameTruncated }) => {
    if (valueTruncated || nameTruncated) beyond(`a field of more than ${limits.fieldSize} bytes`)()
  })
  try {
    await feed(incoming, parser, signal)
  } catch (error) {
    const ofFile = (await Promise.allSettled(taken)).find((result) => result.status === 'rejected')
    throw error instanceof Problem || signal.aborted ? error : (problemOf(ofFile?.reason) ?? malformed(String(error)))
  }
  await Promise.all(taken)
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

/** Part headers are limited to 16 KiB by the parser itself. */
const limits = { parts: 1000, fieldSize: 64 * 1024, fieldNameSize: 1024 }

function nameOf(filename: string | undefined): string {
  if (filename === undefined) {
    throw new Problem('invalid-request', 'A file of the form has no file name.', { field: 'filename' })
  }
  return parseName(filename)
}

function problemOf(reason: unknown): Problem | undefined {
  return reason instanceof Problem ? reason : undefined
}

function malformed(why: string): Problem {
  return new Problem('invalid-request', `The form is malformed: ${why}.`)
}
