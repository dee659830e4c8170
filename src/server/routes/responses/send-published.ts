import type { HttpBindings } from '@hono/node-server'
import { Problem } from '../../../protocol/problems.js'
import type { Identity } from '../../auth/identity.js'
import { publishedName } from '../../auth/publishers.js'
import type { Account } from '../../stores/accounts.js'
import type { PublishedFiles } from '../../stores/files.js'
import type { Exports } from '../../transfers/exports.js'
import type { Previews } from '../../transfers/previews.js'
import { answerFile, sendFile } from './send-file.js'
import { sendPreview } from './send-preview.js'

export interface PublishedFile {
  env: HttpBindings
  /** The caller. */
  identity: Identity
  publisher: Account
  name: string
  /** Set for a look at it only. */
  previews?: Previews | undefined
}

/** Responds to a GET or HEAD for a published file, like `sendFile`. Throws `file-not-found` too. */
export async function sendPublished(
  { files, exports }: { files: Pick<PublishedFiles, 'find' | 'open'>; exports: Exports },
  { env, identity, publisher, name, previews }: PublishedFile,
): Promise<Response> {
  const found = <T>(file: T | undefined): T => {
    if (file) return file
    throw new Problem('file-not-found', `${publisher.username} publishes no file "${name}".`, { name })
  }
  return answerFile(env.incoming, {
    find: async () => found(await files.find(publisher, name)),
    async send() {
      const file = found(await files.open(publisher, name))
      if (previews) return sendPreview({ env, identity, previews, file })
      return sendFile({ env, identity, exports, file, name: publishedName(publisher, name) })
    },
  })
}
