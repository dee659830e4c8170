import type { AccountRecord, LoggedIn, SessionRecord } from '../../protocol/accounts.js'
import type { Login } from '../auth/authentication.js'
import { type Account, accountName } from '../stores/accounts.js'
import type { Session } from '../stores/sessions.js'

/** An account as clients see it: everything but the hash of its password. */
export function accountRecord(account: Account): AccountRecord {
  const { id, username, role, name, email, disabled, createdAt } = account
  return { id, account: accountName(account), username, role, name, email, disabled, createdAt }
}

/** A session as its owner sees it; `current` is the one that asks. */
export function sessionRecord(session: Session, currentId: string): SessionRecord {
  const { id, createdAt, lastUsedAt, expiresAt, client } = session
  return { id, createdAt, lastUsedAt, expiresAt, client, current: id === currentId }
}

/** The answer to a signup or a login. */
export function loggedIn({ account, session, token }: Login, message: string): LoggedIn {
  const { username, role } = account
  return { message, username, role, token, expiresAt: session.expiresAt }
}
