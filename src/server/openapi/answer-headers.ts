import { jobHeader } from '../../protocol/routes.js'

/** Response headers for the API document. */
const known = {
  'Accept-Ranges': text('`bytes`: a range of the file can be requested'),
  'Content-Disposition': text('the name under which a browser stores the file'),
  'Content-Range': text('which bytes of how many follow', 'bytes 0-99/1000'),
  Allow: text('the methods of this path'),
  ETag: text('the entity tag of this version, for `If-Match`, `If-None-Match` and `If-Range`', '"6f1ed002ab559585"'),
  [jobHeader]: { description: "the job's id", schema: { type: 'string', format: 'uuid' } },
  'Last-Modified': text('when this version was made, as an HTTP date'),
  Location: text('where the new resource or the next page is'),
  'Repr-Digest': text('the SHA-256 of the whole file (RFC 9530)', 'sha-256=:…:'),
  'Retry-After': integer('after how many seconds the request may succeed'),
  'Set-Cookie': text('the cookie, or its removal'),
  'Tus-Checksum-Algorithm': text('the algorithms of `Upload-Checksum`', 'sha1,sha256,sha512'),
  'Tus-Extension': text('the extensions of tus that the server supports'),
  'Tus-Max-Size': integer('the largest upload that is accepted, in bytes'),
  'Tus-Resumable': text('the version of tus', '1.0.0'),
  'Tus-Version': text('the versions of tus that the server speaks', '1.0.0'),
  'Upload-Defer-Length': { description: 'the length is not known yet', schema: { type: 'integer', enum: [1] } },
  'Upload-Expires': text('when the upload is removed unless more bytes arrive, as an HTTP date'),
  'Upload-Length': integer('the length of the whole upload, in bytes'),
  'Upload-Metadata': text('what the creation said: `KEY BASE64`, between commas'),
  'Upload-Offset': integer('how many bytes are on disk'),
  'WWW-Authenticate': text('the scheme of tokens', 'Bearer'),
} satisfies Record<string, HeaderObject>

export type AnswerHeader = keyof typeof known

/** An alias, because only type aliases have the index signature that the document's own type requires. */
export type HeaderObject = {
  description: string
  schema: { type: 'string' | 'integer'; format?: string; enum?: number[] }
  example?: string
}

/** Describes these headers of a response. */
export function answerHeaders(...names: AnswerHeader[]): Record<string, HeaderObject> {
  return Object.fromEntries(names.map((name) => [name, known[name]]))
}

function text(description: string, example?: string): HeaderObject {
  return { description, schema: { type: 'string' }, ...(example === undefined ? {} : { example }) }
}

function integer(description: string): HeaderObject {
  return { description, schema: { type: 'integer' } }
}
