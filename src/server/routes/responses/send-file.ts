import type { IncomingMessage } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Problem } from '../../../protocol/problems.js'
import type { Identity } from '../../auth/identity.js'
import { forwardRequest, timesForwarded } from '../../http/forward-request.js'
import { damagedFile } from '../../stores/damage.js'
import type { OpenFile, StoredFile } from '../../stores/files.js'
import { RunsElsewhere } from '../../stores/runs-elsewhere.js'
import type { Exports } from '../../transfers/exports.js'
import type { ByteRange } from '../../transfers/sending.js'
import type { CountedDownload } from '../../transfers/share-downloads.js'
import { ifRangeHolds, isNotModified } from '../headers/conditions.js'
import { reprDigest } from '../headers/digests.js'
import { exportOptionsOf, repeaterOf } from '../headers/export-options.js'
import { parseRange } from '../headers/ranges.js'
import { dispositionOf } from './disposition.js'
import { exportOutput } from './export-output.js'
import { validatorHeaders } from './validators.js'

export interface FileAnswer {
  env: HttpBindings
  identity: Identity
  exports: Exports
  /** Closed by `sendFile` in any case. */
  file: OpenFile
  /** The name of the job; by default the file's. */
  name?: string
  /** The account of the job, if it is not the file's owner. */
  account?: string
  /** False: a separate job, if the readers are different people; default true. */
  joins?: boolean
  /** Whether programs retry such a request automatically when it is interrupted; default false. */
  isRepeatable?: boolean
  /** How long the client may read nothing, if shorter than the default idle timeout. */
  silenceMs?: number
  /** Of a link: a request for the last byte of the file is one of its downloads. */
  download?: CountedDownload
}

/** Responds to a GET or HEAD for a file. A HEAD takes no slot and starts no job: it only has to find the file. */
export async function answerFile(
  incoming: IncomingMessage,
  { find, send }: { find(): Promise<StoredFile>; send(): Promise<Response> },
): Promise<Response> {
  return incoming.method === 'HEAD' ? headFile(incoming, await find()) : send()
}

/**
 * Responds to a GET for a file: 304, 412 and 416 by its conditions and range (RFC 9110 sections 13 and 14), or an
 * export job that sends 200 or 206. Throws like `Exports.send`.
 */
export async function sendFile(answer: FileAnswer): Promise<Response> {
  const { env, identity, exports, file, name, account, joins, silenceMs, download } = answer
  const { incoming, outgoing } = env
  let choice: Choice
  let options: ReturnType<typeof exportOptionsOf>
  try {
    choice = chooseRange(incoming, file.file)
    options = exportOptionsOf(incoming)
    if (choice.status !== 304 && choice.range.end === file.file.size) await download?.begin()
  } catch (error) {
    await file.close()
    throw error
  }
  if (choice.status === 304) {
    await file.close()
    return new Response(null, { status: 304, headers: validatorHeaders(file.file) })
  }
  const { status, range } = choice
  let isSent = false
  const sending = exports.send({
    identity,
    ...(account === undefined ? {} : { account }),
    ...(joins === undefined ? {} : { joins }),
    ...(silenceMs === undefined ? {} : { silenceMs }),
    name: name ?? file.file.name,
    file,
    range,
    ...options,
    repeater: answer.isRepeatable ? repeaterOf(incoming.headers) : null,
    ...exportOutput(outgoing, status, headersOf(file.file, choice)),
  })
  try {
    isSent = await sending
  } catch (error) {
    if (!(error instanceof RunsElsewhere)) throw error
    await forwardTo(error, env)
  } finally {
    download?.end(isSent)
  }
  return RESPONSE_ALREADY_SENT
}

/** The ranges of a file are one job, also if they come to several servers: one of them runs it. */
async function forwardTo({ address }: RunsElsewhere, { incoming, outgoing }: HttpBindings): Promise<void> {
  // It may have ended there meanwhile, and begun at a third server.
  if (address === null || timesForwarded(incoming) > 2) {
    throw new Problem('busy', 'The server that runs the export is not ready: try again.', { retryAfter: 1 })
  }
  await forwardRequest(incoming, outgoing, address)
}

/** The response to a HEAD: the headers of the whole file. */
function headFile(incoming: IncomingMessage, file: StoredFile): Response {
  if (file.damaged) throw damagedFile(file.name)
  if (isNotModified(incoming, file)) return new Response(null, { status: 304, headers: validatorHeaders(file) })
  return new Response(null, { status: 200, headers: headersOf(file, whole(file)) })
}

type Choice = { status: 304 } | { status: 200 | 206; range: ByteRange }

/** What of a file a GET gets. Throws `precondition-failed` and `range-not-satisfiable`. */
export function chooseRange(incoming: IncomingMessage, file: StoredFile): Choice {
  if (isNotModified(incoming, file)) return { status: 304 }
  const { headers } = incoming
  const part = ifRangeHolds(headers, file) ? parseRange(headers.range, file.size) : undefined
  return part ? { status: 206, range: part } : whole(file)
}

function whole(file: StoredFile): { status: 200; range: ByteRange } {
  return { status: 200, range: { start: 0, end: file.size } }
}

/** Of the response to a GET for all or a range of a file. */
export function headersOf(file: StoredFile, choice: { status: number; range: ByteRange }): Record<string, string> {
  const { start, end } = choice.range
  return {
    'Content-Type': file.type,
    'Content-Length': String(end - start),
    'Content-Disposition': dispositionOf(file.name),
    'Accept-Ranges': 'bytes',
    ...(choice.status === 206 ? { 'Content-Range': `bytes ${start}-${end - 1}/${file.size}` } : {}),
    ...validatorHeaders(file),
    ...(file.sha256 === null ? {} : { 'Repr-Digest': reprDigest(file.sha256) }),
    // A file is user content: a browser must neither guess its type nor run it as a page of this origin.
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
  }
}
