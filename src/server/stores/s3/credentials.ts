import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isMissing } from '../../../protocol/file-errors.js'

export interface BucketCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

/** The variables that other programs for S3 read, too. */
export type CredentialVariables = Readonly<Record<string, string | undefined>>

/**
 * From `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, else from the shared credentials file. Throws
 * an `Error` that says where they were looked for.
 */
export async function findCredentials(variables: CredentialVariables): Promise<BucketCredentials> {
  const accessKeyId = variables.AWS_ACCESS_KEY_ID
  const secretAccessKey = variables.AWS_SECRET_ACCESS_KEY
  if (accessKeyId && secretAccessKey) return withToken({ accessKeyId, secretAccessKey }, variables.AWS_SESSION_TOKEN)
  if (accessKeyId || secretAccessKey) {
    throw new Error('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: only one of them is set.')
  }
  const path = variables.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws', 'credentials')
  const profile = variables.AWS_PROFILE ?? 'default'
  const text = await readFile(path, 'utf8').catch((error) => {
    if (!isMissing(error)) throw error
    throw new Error(`No keys for the bucket: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or create ${path}.`)
  })
  const found = parseProfile(text, profile)
  if (!found) throw new Error(`${path} has no aws_access_key_id and aws_secret_access_key in [${profile}].`)
  return found
}

function parseProfile(text: string, profile: string): BucketCredentials | undefined {
  const values: Record<string, string> = {}
  let section: string | undefined
  for (const line of text.split(/\r?\n/)) {
    section = /^\s*\[\s*(.+?)\s*\]/.exec(line)?.[1] ?? section
    const [, name, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (section === profile && name && value) values[name] = value
  }
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey, aws_session_token: token } = values
  return accessKeyId && secretAccessKey ? withToken({ accessKeyId, secretAccessKey }, token) : undefined
}

function withToken(keys: Omit<BucketCredentials, 'sessionToken'>, sessionToken: string | undefined): BucketCredentials {
  return sessionToken ? { ...keys, sessionToken } : keys
}
