import { parseByteCount } from '../../../protocol/body-length.js'
import { FormFault } from './form-fault.js'
import { parseParameters } from './header-parameters.js'
import { decodeUtf8 } from './utf8.js'

/** The headers of a part (RFC 7578 section 4). */
export interface PartHeaders {
  /** The name of its field; null without one. */
  field: string | null
  /** null for a field; empty for a file input without a file. */
  filename: string | null
  /** The media type, as sent. */
  type: string
  /** The declared length in bytes; null without one. */
  length: number | null
  /** Every header by its name in lower case. */
  headers: ReadonlyMap<string, string>
}

/** Parses the headers of a part, without the empty line after them. Throws `FormFault`. */
export function parsePartHeaders(block: Buffer): PartHeaders {
  const headers = splitHeaders(decode(block))
  const disposition = headers.get('content-disposition')
  if (disposition === undefined) throw new FormFault('has no Content-Disposition')
  const { value, parameters } = parseParameters(disposition)
  if (value !== 'form-data') throw new FormFault(`has the disposition ${JSON.stringify(value)} instead of "form-data"`)
  const continued = [...parameters.keys()].find((name) => /^(file)?name\*\d/.test(name))
  if (continued) throw new FormFault(`has "${continued}", a continuation that is not supported`)

  const type = headers.get('content-type') || 'text/plain'
  // It is sent in a header with every download of the file.
  if (/[^\0-\xff]/.test(type)) throw new FormFault('has a Content-Type with characters beyond Latin-1')
  const filename = named(parameters, 'filename')
  checkCoding(headers)
  if (filename === null && /^multipart\//i.test(type)) throw new FormFault(`is "${type}": send its files one by one`)
  if (filename === null && /^application\/octet-stream\b/i.test(type))
    throw new FormFault('is a file with no file name')
  return { field: named(parameters, 'name'), filename, type, length: lengthOf(headers), headers }
}

function decode(block: Buffer): string {
  const text = decodeUtf8(block)
  if (text === undefined) throw new FormFault('has a name, or another header, that is not UTF-8')
  return text
}

function splitHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>()
  if (text === '') return headers
  // RFC 5322 section 2.2.3: a line that starts with a blank continues the previous one.
  for (const line of text.replace(/\r\n(?=[ \t])/g, '').split('\r\n')) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\u{10ffff}]*)$/u.exec(line) ?? []
    if (name === undefined) throw new FormFault(`has a malformed header ${JSON.stringify(line.slice(0, 100))}`)
    const key = name.toLowerCase()
    if (headers.has(key)) throw new FormFault(`has the header ${name} twice`)
    headers.set(key, value!.trimEnd())
  }
  return headers
}

/** The parameter, or its percent-encoded form (RFC 5987), which takes precedence: some clients send both. */
function named(parameters: Map<string, string>, name: string): string | null {
  const encoded = parameters.get(`${name}*`)
  if (encoded === undefined) return parameters.get(name) ?? null
  const [, charset, text] = /^(utf-8|iso-8859-1)'[^']*'((?:%[0-9a-f]{2}|[\w!#$&+.^`|~-])*)$/i.exec(encoded) ?? []
  if (text === undefined) throw new FormFault(`has a "${name}*" that is not like UTF-8''a%20name`)
  if (charset!.toLowerCase() === 'iso-8859-1') return decodeLatin1(text)
  try {
    return decodeURIComponent(text)
  } catch {
    throw new FormFault(`has a "${name}*" that is not UTF-8`)
  }
}

/** RFC 5987 section 3.2: each byte is the character of that number. */
function decodeLatin1(text: string): string {
  return text.replace(/%(..)/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
}

/** Encoded content would be stored encoded, as another file than the client means. */
function checkCoding(headers: Map<string, string>): void {
  for (const name of ['content-transfer-encoding', 'content-encoding']) {
    const coding = headers.get(name)?.toLowerCase() ?? ''
    if (plain.includes(coding)) continue
    throw new FormFault(`is coded as "${coding}", which this server does not decode`, 'unsupported-media-type')
  }
}

const plain = ['', 'identity', '7bit', '8bit', 'binary']

function lengthOf(headers: Map<string, string>): number | null {
  const length = headers.get('content-length')
  if (length === undefined) return null
  const bytes = parseByteCount(length)
  if (bytes === undefined) throw new FormFault('has a Content-Length that is not a number of bytes')
  return bytes
}
