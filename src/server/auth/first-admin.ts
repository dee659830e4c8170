import { randomBytes } from 'node:crypto'
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
  await accounts.create({ role: 'admin', username: 'admin', passwordHash, name: null, email: null })
  return password === null ? drawn : null
}

/** A random password of 96 bits, in characters that need no quoting. */
export function drawPassword(): string {
  return randomBytes(12).toString('base64url').replace(/^-/, 'A')
}
