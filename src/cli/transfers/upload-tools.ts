import { join, resolve } from 'node:path'
import { openHttpClient } from '../http-client.js'
import type { Progress } from '../progress.js'
import type { Session } from '../session.js'
import { stateFolder } from '../settings.js'
import { accountKey } from '../token.js'
import { createProducer } from './producer.js'
import { openTransferState } from './transfer-state.js'
import type { UploadTools } from './upload.js'

/** The dependencies of the uploads of this session; close `http`. */
export async function openUploadTools(session: Session, progress: Progress): Promise<UploadTools> {
  const { server, userAgent, output, context } = session
  const token = await session.token()
  const unfinished = join(await stateFolder(), 'uploads')
  const owner = accountKey(token)
  return {
    http: await openHttpClient(server, token, userAgent),
    api: await session.api(),
    progress,
    note: output.note,
    stdin: context.stdin,
    createProducer: (command) => createProducer(command, context),
    openTransferState: ({ name, path }, keepExisting) =>
      openTransferState(unfinished, [server, owner, name, resolve(path), keepExisting]),
  }
}
