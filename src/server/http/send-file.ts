import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, rateLimitHeader } from '../../protocol/routes.js'
import type { Identity } from '../auth/identity.js'
import type { OpenFile, StoredFile } from '../stores/files.js'
import type { Exports } from '../transfers/exports.js'
import type { ByteRange } from '../transfers/sending.js'
import { cut, leftSignal, unsentBytes } from './connection.js'
import { reprDigest } from './digests.js'
import { jobIdOf, rateLimitOf, waitOf } from './preferences.js'
import { ifRangeHolds, matchesWeakly, parseEntityTags, parseRange } from './ranges.js'

export interface FileAnswer {
  env: HttpBindings
  identity: Identity
  exports: Exports
  /** Closed by `sendFile`, whatever happens. */
  file: OpenFile
  /** What the job is called after; the file's own name by default. */
  name?: string
  /** Who exports, where it is not the account itself. */
  account?: string
  /** False: a job of its own, where the readers are different people; default true. */
  joins?: boolean
}

/**
 * Answers a GET for a file: 304, 412 and 416 by its conditions and range (RFC 9110 sections 13 and 14), else an export
 * job that sends 200 or 206. Throws what `Exports.send` throws.
 */
export async function sendFile({ env, identity, exports, file, name, account, joins }: FileAnswer): Promise<Response> {
  const { incoming, outgoing } = env
  let choice: Choice
  let wishes: ReturnType<typeof wishesOf>
  try {
    choice = choose(incoming.headers, file.file)
    wishes = wishesOf(incoming.headers)
  } catch (error) {
    await file.close()
    throw error
  }
  if (choice.status === 304) {
    await file.close()
    return new Response(null, { status: 304, headers: validatorsOf(file.file) })
  }
  const { status, range } = choice
  const headers = headersOf(file.file, choice)
  // One who waits for a turn has sent all that there is to send: the connection is read, and tells when the peer is gone.
  const left = leftSignal(outgoing)
  await exports.send({
    identity,
    ...(account === undefined ? {} : { account }),
    ...(joins === undefined ? {} : { joins }),
    name: name ?? file.file.name,
    file,
    range,
    ...wishes,
    left,
    unsent: () => unsentBytes(outgoing),
    begin(job) {
      outgoing.writeHead(status, { ...headers, [jobHeader]: job.id })
      outgoing.flushHeaders()
    },
    response: outgoing,
    cut: () => cut(outgoing),
  })
  return RESPONSE_ALREADY_SENT
}

/** What a HEAD answers: the headers of the whole file. */
export function headFile(headers: Record<string, string | string[] | undefined>, file: StoredFile): Response {
  const choice = choose({ ...headers, range: undefined }, file)
  if (choice.status === 304) return new Response(null, { status: 304, headers: validatorsOf(file) })
  return new Response(null, { status: 200, headers: headersOf(file, choice) })
}

/** What the reader wants of the job. Throws `invalid-request`. */
function wishesOf(headers: Record<string, string | string[] | undefined>) {
  const header = (name: string) => headers[name.toLowerCase()] as string | undefined
  return {
    jobId: jobIdOf(header(jobHeader)),
    waitMs: waitOf(header('prefer')),
    rateLimit: rateLimitOf(header(rateLimitHeader)),
  }
}

type Choice = { status: 304 } | { status: 200 | 206; range: ByteRange }

function choose(headers: Record<string, string | string[] | undefined>, file: StoredFile): Choice {
  const header = (name: string) => headers[name] as string | undefined
  const ifMatch = parseEntityTags(header('if-match'))
  if (ifMatch && ifMatch !== '*' && !ifMatch.includes(file.entityTag)) {
    throw new Problem('precondition-failed', 'The file is not the one that If-Match names: it has changed.')
  }
  const ifNoneMatch = parseEntityTags(header('if-none-match'))
  if (ifNoneMatch && matchesWeakly(ifNoneMatch, file.entityTag)) return { status: 304 }
  const range = ifRangeHolds(header('if-range'), file.entityTag) ? parseRange(header('range'), file.size) : undefined
  return range ? { status: 206, range } : { status: 200, range: { start: 0, end: file.size } }
}

function headersOf(file: StoredFile, choice: { status: number; range: ByteRange }): Record<string, string> {
  const { start, end } = choice.range
  return {
    'Content-Type': file.type,
    'Content-Length': String(end - start),
    'Content-Disposition': dispositionOf(file.name),
    'Accept-Ranges': 'bytes',
    ...(choice.status === 206 ? { 'Content-Range': `bytes ${start}-${end - 1}/${file.size}` } : {}),
    ...validatorsOf(file),
    ...(file.sha256 === null ? {} : { 'Repr-Digest': reprDigest(file.sha256) }),
    // A file is somebody's upload: a browser must neither guess what it is nor run it as a page of this host.
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
  }
}

function validatorsOf(file: StoredFile): Record<string, string> {
  return {
    ETag: file.entityTag,
    'Last-Modified': new Date(file.uploadedAt).toUTCString(),
    'Cache-Control': 'private, no-cache',
  }
}

/** RFC 6266: a plain name for old clients, the real one in UTF-8. */
function dispositionOf(name: string): string {
  const base = name.slice(name.lastIndexOf('/') + 1)
  const plain = base.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(base).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
