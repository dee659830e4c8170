import { Problem } from '../../protocol/problems.js'
import { type Account, accountName } from '../stores/accounts.js'

export function refusedToken(): Problem {
  return new Problem(
    'not-logged-in',
    'Not logged in: the token is missing, expired or revoked. Log in and use the new one.',
  )
}

/** For a token that was valid before its account was disabled. */
export function accountDisabled(account: Account): Problem {
  return new Problem('not-logged-in', `The account ${accountName(account)} is disabled: ask an admin.`)
}
