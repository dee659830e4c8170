import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { requestLength } from '../../../protocol/body-length.js'
import { Problem } from '../../../protocol/problems.js'
import { sendContinue } from '../../http/continue.js'
import { keepBody } from '../../http/kept-body.js'
import { checkOfBody } from './body-check.js'
import { checkNotCoded } from './content-coding.js'
import { fieldOf, formatIssue } from './schema-issues.js'
import { decodeUtf8 } from './utf8.js'

/**
 * Reads and validates a JSON body of at most `maxBytes`, by default 64 KiB. Throws `unsupported-media-type`, `body-too-large`, and
 * `invalid-request` naming the invalid field.
 */
export async function readJson<T>(incoming: IncomingMessage, schema: z.ZodType<T>, maxBytes?: number): Promise<T> {
  if (!/^application\/json\s*(;|$)/i.test(incoming.headers['content-type'] ?? '')) {
    throw new Problem('unsupported-media-type', 'Send the body as JSON, with "Content-Type: application/json".')
  }
  return validate(parseJson(await readSmallBody(incoming, maxBytes)), schema)
}

/** Throws `invalid-request` if the bytes are not JSON in UTF-8 (RFC 8259 section 8.1). */
export function parseJson(body: Buffer): unknown {
  const text = decodeUtf8(body)
  if (text === undefined) throw new Problem('invalid-request', 'The body is not UTF-8.', { field: 'body' })
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Problem('invalid-request', `The body is not JSON: ${error.message}.`, { field: 'body' })
  }
}

/**
 * Reads a whole body of at most `maxBytes`, by default 64 KiB. Throws `unsupported-media-type` if it is encoded, `body-too-large`,
 * `digest-mismatch`, and `stalled` if it does not arrive within 30 s.
 */
export async function readSmallBody(incoming: IncomingMessage, maxBytes = defaultMaxBytes): Promise<Buffer> {
  checkNotCoded(incoming)
  const check = checkOfBody(incoming)
  const tooLarge = new Problem('body-too-large', `The body has more than ${maxBytes / 1024} KiB.`)
  if ((requestLength(incoming.headers) ?? 0) > maxBytes) throw tooLarge
  sendContinue(incoming)
  const chunks: Buffer[] = []
  let bytes = 0
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => settle(new Problem('stalled', 'The body did not come in time.')), timeoutMs)
    const settle = (error?: Error) => {
      clearTimeout(timer)
      incoming.off('data', onData)
      if (error) reject(error)
      else resolve()
    }
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      chunks.push(chunk)
      if (bytes > maxBytes) settle(tooLarge)
    }
    incoming.on('data', onData)
    incoming.on('end', () => settle())
    const onLeft = () => settle(new Problem('client-left', 'The client left before its request was complete.'))
    incoming.on('error', onLeft).on('close', onLeft)
    if (incoming.destroyed) onLeft()
  })
  const body = Buffer.concat(chunks)
  check.update(body)
  check.verify()
  keepBody(incoming, body)
  return body
}

/**
 * Validates external input. Throws `invalid-request` naming the first invalid field, or all fields if one is missing.
 */
export function validate<T>(value: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new Problem('invalid-request', `${formatIssue(issue, schema)}.`, { field: fieldOf(issue) })
}

const defaultMaxBytes = 64 * 1024
const timeoutMs = 30_000
