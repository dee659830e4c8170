import type { IncomingMessage } from 'node:http'
import busboy from 'busboy'
import { Problem } from '../../protocol/problems.js'
import { readSmallBody } from './json-body.js'

/**
 * Reads the fields of a small body, 64 KiB at most: url-encoded, `multipart/form-data`, or a JSON object. Works for a GET
 * as well, where the framework gives no body. No body has no fields; files of a form are passed over. Throws
 * `unsupported-media-type`, `body-too-large`, and `invalid-request` where the body is malformed or names a field twice.
 */
export async function readFields(incoming: IncomingMessage): Promise<Record<string, unknown>> {
  const body = await readSmallBody(incoming)
  const type = /^[^;\s]*/.exec(incoming.headers['content-type'] ?? '')![0].toLowerCase()
  if (body.length === 0) return {}
  if (type === 'application/x-www-form-urlencoded') return byName([...new URLSearchParams(body.toString('utf8'))])
  if (type === 'multipart/form-data') return byName(await readParts(incoming, body))
  if (type === 'application/json') return readObject(body)
  throw new Problem('unsupported-media-type', 'Send the body as form data or as JSON.')
}

function byName(fields: [string, string][]): Record<string, string> {
  const seen = new Set<string>()
  for (const [name] of fields) {
    if (seen.has(name)) throw new Problem('invalid-request', `${name}: is given twice.`, { field: name })
    seen.add(name)
  }
  return Object.fromEntries(fields)
}

function readParts(incoming: IncomingMessage, body: Buffer): Promise<[string, string][]> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(malformed(error))
    try {
      const parser = busboy({ headers: incoming.headers, defParamCharset: 'utf8', limits: { parts: 100 } })
      const fields: [string, string][] = []
      parser.on('field', (name, value) => fields.push([name, value]))
      parser.on('file', (_name, file) => file.on('error', () => {}).resume())
      parser.on('partsLimit', () => fail('it has more than 100 parts'))
      parser.on('error', fail)
      parser.on('close', () => resolve(fields))
      parser.end(body)
    } catch (error) {
      fail(error)
    }
  })
}

function readObject(body: Buffer): Record<string, unknown> {
  const value = parseJson(body)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new Problem('invalid-request', 'The body is no JSON object.', { field: 'body' })
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Problem('invalid-request', `The body is not JSON: ${error.message}.`, { field: 'body' })
  }
}

function malformed(why: unknown): Problem {
  const reason = why instanceof Error ? why.message : String(why)
  return new Problem('invalid-request', `The form is malformed: ${reason}.`, { field: 'body' })
}
