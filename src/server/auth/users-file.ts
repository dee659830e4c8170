import { readFile } from 'node:fs/promises'
import type { z } from 'zod'
import { newAccountSchema } from '../../protocol/accounts.js'
import { Problem } from '../../protocol/problems.js'
import { formatIssue } from '../routes/bodies/schema-issues.js'
import type { AccountStore } from '../stores/accounts.js'
import { accountToCreate } from './administration.js'
import type { Passwords } from './passwords.js'

/**
 * Creates the missing accounts of a JSON array `[{username, password, role?}, …]`; existing ones are unchanged. Returns
 * how many were created. Throws `invalid-request`, naming an invalid entry by its index, before any is created.
 */
export async function importUsers(
  path: string,
  { accounts, passwords }: { accounts: AccountStore; passwords: Passwords },
): Promise<number> {
  let made = 0
  for (const { password, ...wanted } of await readUsers(path)) {
    if (await accounts.find(wanted.role, wanted.username)) continue
    const passwordHash = await passwords.hash(password)
    made += await accounts.create(accountToCreate(wanted, passwordHash)).then(() => 1, zeroIfTaken)
  }
  return made
}

/** Another server that starts at the same time has created it. */
function zeroIfTaken(error: unknown): 0 {
  if (error instanceof Problem && error.code === 'username-taken') return 0
  throw error
}

const entrySchema = newAccountSchema.transform((entry) => ({ ...entry, role: entry.role ?? ('user' as const) }))

async function readUsers(path: string): Promise<z.infer<typeof entrySchema>[]> {
  const value = parseJson(await read(path), path)
  if (!Array.isArray(value)) throw wrong(path, 'it is not a JSON array of {username, password, role?}')
  return value.map((entry: unknown, index) => {
    const result = entrySchema.safeParse(entry)
    if (result.success) return result.data
    const issue = result.error.issues[0]!
    throw wrong(path, `entry ${index} (counted from 0): ${formatIssue(issue)}`)
  })
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw wrong(path, error instanceof Error ? error.message : String(error), error)
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw wrong(path, `it is not JSON (${String(error)})`, error)
  }
}

function wrong(path: string, reason: string, cause?: unknown): Problem {
  return new Problem('invalid-request', `--users ${path}: ${reason}.`, { field: '--users' }, { cause })
}
