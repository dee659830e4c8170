import { randomBytes } from 'node:crypto'
import { Problem } from '../../protocol/problems.js'
import type { AccountStore } from '../stores/accounts.js'
import type { Passwords } from './passwords.js'

/**
 * Creates the account `admin:admin` if there is no admin, with the given password or a random one. Returns the random
 * one, to be shown once, or null.
 */
export async function createFirstAdmin(
  { accounts, passwords }: { accounts: AccountStore; passwords: Passwords },
  password: string | null,
): Promise<string | null> {
  if ((await accounts.list()).some(({ role }) => role === 'admin')) return null
  const drawn = password ?? drawPassword()
  const passwordHash = await passwords.hash(drawn)
  const admin = { role: 'admin', username: 'admin', passwordHash, name: null, email: null } as const
  const created = await accounts.create(admin).then(() => true, falseIfTaken)
  if (!created) return null
  return password === null ? drawn : null
}

/** Another server that starts at the same time has created it. */
function falseIfTaken(error: unknown): false {
  if (error instanceof Problem && error.code === 'username-taken') return false
  throw error
}

/** A random password of 96 bits, in characters that need no quoting. */
export function drawPassword(): string {
  return randomBytes(12).toString('base64url').replace(/^-/, 'A')
}
