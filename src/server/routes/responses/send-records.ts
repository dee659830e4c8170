import { once } from 'node:events'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { z } from 'zod'
import { faultOfName } from '../../../protocol/file-name.js'
import type { Identity } from '../../auth/identity.js'
import { cut, hangUpSignal } from '../../http/connection.js'
import type { PublishedFiles, Space } from '../../stores/files.js'
import type { FileLines, Folders } from '../../stores/folders.js'
import { validate } from '../bodies/json-body.js'

export interface RecordSources {
  files: Pick<PublishedFiles, 'listEmptyFolders'>
  folderStore: Pick<Folders, 'records'>
}

/**
 * Sends the records of all files with a prefix, or the names of its empty folders, as NDJSON, as fast as the client reads.
 * The memory that it takes does not depend on their number. If it fails halfway, the connection is reset: a list never
 * looks complete before its end.
 */
export async function sendRecords(
  { incoming, outgoing }: HttpBindings,
  { revoked }: Identity,
  sources: RecordSources,
  { space, query }: { space: Space; query: unknown },
): Promise<Response> {
  const { prefix, folders } = validate(query, querySchema)
  const read = (after: string) =>
    folders === 'empty'
      ? emptyFolders(sources.files, space, { prefix, after })
      : sources.folderStore.records(space, { prefix, after })
  let page = await read('')
  outgoing.writeHead(200, { 'Content-Type': 'application/x-ndjson', Vary: 'Accept' })
  if (incoming.method === 'HEAD') {
    outgoing.end()
    return RESPONSE_ALREADY_SENT
  }
  const over = AbortSignal.any([revoked, hangUpSignal(outgoing)])
  try {
    for (;;) {
      const next = page.last === null ? undefined : read(page.last)
      next?.catch(() => {})
      if (!outgoing.write(page.lines)) {
        await once(outgoing, 'drain', { signal: AbortSignal.any([over, AbortSignal.timeout(silenceMs)]) })
      }
      over.throwIfAborted()
      if (!next) break
      page = await next
    }
    outgoing.end()
  } catch {
    cut(outgoing)
  }
  return RESPONSE_ALREADY_SENT
}

async function emptyFolders(
  files: RecordSources['files'],
  space: Space,
  query: { prefix: string; after: string },
): Promise<FileLines> {
  const { prefix } = query
  const isFolder = prefix === '' || (prefix.endsWith('/') && faultOfName(prefix.slice(0, -1)) === undefined)
  if (!isFolder) return { lines: new Uint8Array(), last: null }
  const names = await files.listEmptyFolders(space, { ...query, limit: foldersPerPage })
  const lines = Buffer.from(names.map((name) => `${JSON.stringify({ name })}\n`).join(''))
  return { lines, last: names.length < foldersPerPage ? null : names.at(-1)! }
}

/** Other parameters have no meaning here. */
const querySchema = z.object({
  prefix: z.string().default(''),
  folders: z.enum(['empty']).optional(),
})

const foldersPerPage = 1000

/** How long a client may read nothing. */
const silenceMs = 60_000
