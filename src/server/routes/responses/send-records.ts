import { once } from 'node:events'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { z } from 'zod'
import type { Identity } from '../../auth/identity.js'
import { cut, hangUpSignal } from '../../http/connection.js'
import type { Space } from '../../stores/files.js'
import type { Folders } from '../../stores/folders.js'
import { validate } from '../bodies/json-body.js'

/**
 * Sends the records of all files with a prefix as NDJSON, as fast as the client reads. The memory that it takes does
 * not depend on their number. If it fails halfway, the connection is reset: a list never looks complete before its end.
 */
export async function sendRecords(
  { incoming, outgoing }: HttpBindings,
  { revoked }: Identity,
  folders: Pick<Folders, 'records'>,
  { space, query }: { space: Space; query: unknown },
): Promise<Response> {
  const { prefix } = validate(query, querySchema)
  let page = await folders.records(space, { prefix, after: '' })
  outgoing.writeHead(200, { 'Content-Type': 'application/x-ndjson', Vary: 'Accept' })
  if (incoming.method === 'HEAD') {
    outgoing.end()
    return RESPONSE_ALREADY_SENT
  }
  const over = AbortSignal.any([revoked, hangUpSignal(outgoing)])
  try {
    for (;;) {
      const next = page.last === null ? undefined : folders.records(space, { prefix, after: page.last })
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

/** Other parameters have no meaning here. */
const querySchema = z.object({ prefix: z.string().default('') })

/** How long a client may read nothing. */
const silenceMs = 60_000
