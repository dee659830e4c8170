interface BodyHeaders {
  'content-length'?: string | undefined
  'transfer-encoding'?: string | undefined
}

/** The bytes of a response's body (RFC 9112 section 6.3); null if it is chunked, or ends with its connection. */
export function responseLength(headers: BodyHeaders): number | null {
  const length = headers['content-length']
  return length === undefined || headers['transfer-encoding'] !== undefined ? null : Number(length)
}

/** The same for the headers of a `Response`. */
export function fetchedLength(headers: { get(name: string): string | null }): number | null {
  const length = headers.get('content-length')
  return length === null || headers.get('transfer-encoding') !== null ? null : Number(length)
}

/** The bytes of a request's body (RFC 9112 section 6.3): 0 if it has none; null if it is chunked. */
export function requestLength(headers: BodyHeaders): number | null {
  return headers['transfer-encoding'] === undefined ? (responseLength(headers) ?? 0) : null
}

/** A decimal number of bytes in a header, as far as numbers are exact; undefined if it is anything else. */
export function parseByteCount(text: string): number | undefined {
  const bytes = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The header of a request whose body has this many bytes. */
export function lengthHeader(bytes: number): { 'Content-Length': string } {
  return { 'Content-Length': String(bytes) }
}
