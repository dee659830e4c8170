import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { loginSchema } from '../../protocol/accounts.js'
import { Problem } from '../../protocol/problems.js'
import type { Credentials } from '../auth/authentication.js'
import { parseAccountName } from '../stores/accounts.js'
import { readJson } from './json-body.js'

/** Reads who wants to log in from a JSON body. Throws what `readJson` and `credentialsOf` throw. */
export async function readLogin(incoming: IncomingMessage): Promise<Credentials> {
  return credentialsOf(await readJson(incoming, loginSchema))
}

/** An `email` stands in for a missing username. Throws `invalid-request` where there is neither. */
export function credentialsOf({ username, password, role, email }: z.infer<typeof loginSchema>): Credentials {
  const given = username ?? email
  if (given === undefined) throw missingUsername()
  // `ops:ann` is how accounts are written; no username has a colon.
  return { ...((role === undefined && parseAccountName(given)) || { role: role ?? 'user', username: given }), password }
}

export function missingUsername(): Problem {
  return new Problem('invalid-request', 'username: is missing.', { field: 'username' })
}
