import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type ArchiveFormat, archiveTypes } from '../../../protocol/archives.js'
import type { ArchiveExports } from '../../archives/archive-exports.js'
import type { PreparedArchives } from '../../archives/prepared-archives.js'
import type { Selection } from '../../archives/selection.js'
import type { Identity } from '../../auth/identity.js'
import type { CountedDownload } from '../../transfers/share-downloads.js'
import type { WantedArchive } from '../headers/archive-query.js'
import { exportOptionsOf, repeaterOf } from '../headers/export-options.js'
import { dispositionOf } from './disposition.js'
import { exportOutput } from './export-output.js'

export interface ArchiveAnswer {
  env: HttpBindings
  identity: Identity
  archives: ArchiveExports
  selection: Selection
  wanted: WantedArchive
  /** The name of the job: the folder that holds everything, with a slash at the end. */
  name: string
  /** The account of the job, if it is not the requester's. */
  account?: string
  /** How long the client may read nothing, if shorter than the default idle timeout. */
  silenceMs?: number
  /** Of a link: the archive is one of its downloads. */
  download?: CountedDownload
}

/** Responds to a GET, POST or HEAD for an archive. A HEAD takes no slot and starts no job. Throws like `ArchiveExports.send`. */
export async function sendArchive(answer: ArchiveAnswer): Promise<Response> {
  const { env, identity, archives, selection, wanted, name, account, silenceMs, download } = answer
  const { incoming, outgoing } = env
  const headers = headersOf(name, wanted.format)
  if (incoming.method === 'HEAD') {
    await archives.check(selection)
    return new Response(null, { headers })
  }
  await download?.begin()
  const sending = archives.send({
    identity,
    ...(account === undefined ? {} : { account }),
    ...(silenceMs === undefined ? {} : { silenceMs }),
    name,
    selection,
    ...wanted,
    ...exportOptionsOf(incoming),
    repeater: incoming.method === 'GET' ? repeaterOf(incoming.headers) : null,
    ...exportOutput(outgoing, 200, headers),
  })
  let isSent = false
  try {
    isSent = await sending
  } finally {
    download?.end(isSent)
  }
  return RESPONSE_ALREADY_SENT
}

/** Responds to a GET or HEAD for an archive that was prepared. A HEAD does not fetch it. Throws like `PreparedArchives.send`. */
export async function sendPrepared(
  { incoming, outgoing }: HttpBindings,
  { prepared, id, identity }: { prepared: PreparedArchives; id: string; identity: Identity },
): Promise<Response> {
  const { name, format } = prepared.get(id, identity)
  const headers = headersOf(name, format)
  if (incoming.method === 'HEAD') return new Response(null, { headers })
  await prepared.send(id, identity, exportOutput(outgoing, 200, headers))
  return RESPONSE_ALREADY_SENT
}

/** Created again for each request, with an unknown length: so it has no ranges. */
function headersOf(name: string, format: ArchiveFormat): Record<string, string> {
  const folder = name.slice(0, -1)
  return {
    'Content-Type': archiveTypes[format],
    'Content-Disposition': dispositionOf(`${folder === '' || folder.endsWith('/') ? 'files' : folder}.${format}`),
    'Accept-Ranges': 'none',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
  }
}
