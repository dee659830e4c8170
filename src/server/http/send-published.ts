import type { HttpBindings } from '@hono/node-server'
import { Problem } from '../../protocol/problems.js'
import type { Identity } from '../auth/identity.js'
import { publishedName } from '../auth/publishers.js'
import type { Account } from '../stores/accounts.js'
import type { FileStore } from '../stores/files.js'
import type { Exports } from '../transfers/exports.js'
import { headFile, sendFile } from './send-file.js'

export interface PublishedFile {
  env: HttpBindings
  /** Who asks. */
  identity: Identity
  publisher: Account
  name: string
}

/** Answers a GET or HEAD for what an ops account publishes, as `sendFile` does. Throws `file-not-found` too. */
export async function sendPublished(
  { files, exports }: { files: FileStore; exports: Exports },
  { env, identity, publisher, name }: PublishedFile,
): Promise<Response> {
  const missing = new Problem('file-not-found', `${publisher.username} publishes no file "${name}".`, { name })
  if (env.incoming.method === 'HEAD') {
    const file = await files.find(publisher, name)
    if (!file) throw missing
    return headFile(env.incoming.headers, file)
  }
  const file = await files.open(publisher, name)
  if (!file) throw missing
  return sendFile({ env, identity, exports, file, name: publishedName(publisher, name) })
}
