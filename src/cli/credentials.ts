import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMissing } from '../protocol/file-errors.js'
import { Failure } from './exit-codes.js'
import { parseObject } from './settings.js'

/** A stored login for one server. */
export interface Credential {
  /** `role:username` */
  readonly account: string
  readonly token: string
  /** RFC 3339 */
  readonly expiresAt: string
}

/** The stored logins, one per server. */
export interface CredentialStore {
  find(server: string): Promise<Credential | undefined>
  /** Replaces the server's entry. */
  save(server: string, credential: Credential): Promise<void>
  /** Removing a missing entry is not an error. */
  remove(server: string): Promise<void>
}

/** Stores logins in `credentials.json` in the folder, readable only by its owner. */
export function createCredentials(folder: string): CredentialStore {
  const file = join(folder, 'credentials.json')
  return {
    async find(server) {
      const entry = (await readEntries(file))[server]
      return isCredential(entry) ? entry : undefined
    },
    async save(server, credential) {
      await writeEntries(file, { ...(await readEntries(file)), [server]: credential })
    },
    async remove(server) {
      const entries = await readEntries(file)
      if (!Object.hasOwn(entries, server)) return
      delete entries[server]
      await writeEntries(file, entries)
    },
  }
}

async function readEntries(file: string): Promise<Record<string, unknown>> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return {}
    throw error
  }
  const entries = parseObject(text)
  if (!entries) throw new Failure('unexpected', `${file} is damaged: remove it and run "filejobs login".`)
  return entries
}

/** Written to a temporary file and renamed, so that a crash leaves either the old logins or the new ones. */
async function writeEntries(file: string, entries: Record<string, unknown>): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${randomUUID()}`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(`${JSON.stringify(entries, null, 2)}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

function isCredential(value: unknown): value is Credential {
  return (
    typeof value === 'object' &&
    value !== null &&
    'token' in value &&
    typeof value.token === 'string' &&
    'account' in value &&
    typeof value.account === 'string'
  )
}
