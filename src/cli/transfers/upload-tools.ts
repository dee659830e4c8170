import { join, resolve } from 'node:path'
import { openHttpClient } from '../http-client.js'
import type { Progress } from '../progress.js'
import type { Session } from '../session.js'
import { stateFolder } from '../settings.js'
import { accountKey } from '../token.js'
import { openMemory } from './memory.js'
import type { UploadTools } from './upload.js'

/** What uploads of this session work with; `http` is to be closed. */
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
    openMemory: ({ name, path }, keepExisting) =>
      openMemory(unfinished, [server, owner, name, resolve(path), keepExisting]),
  }
}
