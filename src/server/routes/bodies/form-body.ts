import type { IncomingMessage } from 'node:http'
import { Problem } from '../../../protocol/problems.js'
import { FormFault } from './form-fault.js'
import { FormParser } from './form-parser.js'
import { parseParameters } from './header-parameters.js'
import { parseJson, readSmallBody } from './json-body.js'
import { parseUrlEncoded } from './url-encoded.js'
import { decodeUtf8 } from './utf8.js'

/**
 * Reads the fields of a small body, at most 64 KiB: URL-encoded, `multipart/form-data`, or a JSON object. Also reads
 * the body of a GET, which the framework ignores. A missing body has no fields. Throws `unsupported-media-type`,
 * `body-too-large`, and `invalid-request` if the body is malformed, has a file, or repeats a field.
 */
export async function readFields(incoming: IncomingMessage): Promise<Record<string, unknown>> {
  const body = await readSmallBody(incoming)
  const type = /^[^;\s]*/.exec(incoming.headers['content-type'] ?? '')![0].toLowerCase()
  if (body.length === 0) return {}
  if (type === 'application/x-www-form-urlencoded') return byName(parseUrlEncoded(body))
  if (type === 'multipart/form-data') return byName(readParts(incoming, body))
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

function readParts(incoming: IncomingMessage, body: Buffer): [string, string][] {
  const fields: [string, string][] = []
  const parser = new FormParser(incoming.headers['content-type'], {
    onField: ({ field, type }, value) => fields.push([field ?? '', decode(value, type)]),
    onFile({ filename }) {
      throw new FormFault(`is the file "${filename}", but this request takes fields only`)
    },
  })
  parser.push(body)
  parser.end()
  return fields
}

/** Decodes a field in its charset. Throws if it is invalid. */
function decode(value: Buffer, type: string): string {
  const charset = parseParameters(type).parameters.get('charset') ?? 'utf-8'
  const text = decodeUtf8(value, charset)
  if (text === undefined) throw new FormFault(`is not ${charset.toUpperCase()}`)
  return text
}

function readObject(body: Buffer): Record<string, unknown> {
  const value = parseJson(body)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new Problem('invalid-request', 'The body is no JSON object.', { field: 'body' })
}
