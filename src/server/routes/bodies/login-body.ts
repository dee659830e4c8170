import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { loginSchema } from '../../../protocol/accounts.js'
import { Problem } from '../../../protocol/problems.js'
import type { Role } from '../../../protocol/roles.js'
import type { Credentials } from '../../auth/password-check.js'
import { parseAccountName } from '../../stores/accounts.js'
import { readJson } from './json-body.js'

/** Reads credentials from a JSON body. Throws like `readJson` and `credentialsOf`. */
export async function readLogin(incoming: IncomingMessage): Promise<Credentials> {
  return credentialsOf(await readJson(incoming, loginSchema))
}

/** Like `credentialsOf`, but the role stays open unless it is given, or part of the name. */
export function openCredentialsOf(body: z.infer<typeof loginSchema>): Omit<Credentials, 'role'> & { role?: Role } {
  const credentials = credentialsOf(body)
  if (body.role !== undefined || credentials.username !== (body.username ?? body.email)) return credentials
  const { role: _, ...open } = credentials
  return open
}

/** `email` replaces a missing username. Throws `invalid-request` if both are missing. */
export function credentialsOf({ username, password, role, email }: z.infer<typeof loginSchema>): Credentials {
  const given = username ?? email
  if (given === undefined) throw missingUsername()
  // `ops:ann` is the notation for accounts; no username contains a colon.
  return { ...((role === undefined && parseAccountName(given)) || { role: role ?? 'user', username: given }), password }
}

export function missingUsername(): Problem {
  return new Problem('invalid-request', 'username is missing.', { field: 'username' })
}
