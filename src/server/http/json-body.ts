import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { Problem } from '../../protocol/problems.js'
import { sendContinue } from './continue.js'

/**
 * Reads and validates a JSON body of 64 KiB at most. Throws `unsupported-media-type`, `body-too-large`, and
 * `invalid-request` naming the field at fault.
 */
export async function readJson<T>(incoming: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  if (!/^application\/json\s*(;|$)/i.test(incoming.headers['content-type'] ?? '')) {
    throw new Problem('unsupported-media-type', 'Send the body as JSON, with "Content-Type: application/json".')
  }
  const text = (await readSmallBody(incoming)).toString('utf8')
  try {
    return validate(JSON.parse(text), schema)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Problem('invalid-request', `The body is not JSON: ${error.message}.`, { field: 'body' })
  }
}

/** Reads a whole body of 64 KiB at most. Throws `body-too-large`, and `stalled` when it does not come within 30 s. */
export async function readSmallBody(incoming: IncomingMessage): Promise<Buffer> {
  const tooLarge = new Problem('body-too-large', `The body has more than ${maxBytes / 1024} KiB.`)
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) throw tooLarge
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
  return Buffer.concat(chunks)
}

/** Checks what came from outside. Throws `invalid-request` naming the first field at fault, or all where one is missing. */
export function validate<T>(value: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const field = issue?.path.join('.') || 'body'
  throw new Problem('invalid-request', `${field}: ${issue ? wordIssue(issue, schema) : 'is not valid'}.`, { field })
}

/** In words for whoever wrote the request, who does not know zod. */
function wordIssue(issue: z.core.$ZodIssue, schema: z.ZodType): string {
  const [, expected, received] = /^Invalid input: expected (\S+), received (\S+)$/.exec(issue.message) ?? []
  if (expected === undefined) return issue.message
  const words = received === 'undefined' ? 'is missing' : `must be ${kinds[expected] ?? expected}`
  const tellsFields = (received === 'undefined' || issue.path.length === 0) && schema instanceof z.ZodObject
  return tellsFields ? `${words}; the fields are ${Object.keys(schema.shape).join(', ')}` : words
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

const maxBytes = 64 * 1024
const timeoutMs = 30_000
