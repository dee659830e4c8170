import type {
  AccountRecord,
  ListedAccountRecord,
  LoggedIn,
  OwnAccountRecord,
  Room,
  SessionRecord,
} from '../../../protocol/accounts.js'
import type { ListedAccount } from '../../auth/administration.js'
import type { Login } from '../../auth/authentication.js'
import { type Account, accountName } from '../../stores/accounts.js'
import type { StoredSession } from '../../stores/sessions.js'

/** An account for clients: everything but its password hash. */
export function accountRecord(account: Account): AccountRecord {
  const { id, username, role, name, email, disabled, quota, createdAt } = account
  return { id, account: accountName(account), username, role, name, email, disabled, quota, createdAt }
}

/** An account for an admin, with what it does. */
export function listedAccountRecord({ account, ...facts }: ListedAccount): ListedAccountRecord {
  return { ...accountRecord(account), ...facts }
}

/** An account for itself, with what it has stored. */
export function ownAccountRecord(account: Account, space: Room | null): OwnAccountRecord {
  return { ...accountRecord(account), space }
}

/** A session for its owner; `current` is the session of the request. */
export function sessionRecord(session: StoredSession, currentId: string): SessionRecord {
  const { id, createdAt, lastUsedAt, expiresAt, client } = session
  return { id, createdAt, lastUsedAt, expiresAt, client, current: id === currentId }
}

/** The response to a signup or a login. */
export function loggedIn({ account, session, token }: Login, message: string): LoggedIn {
  const { username, role } = account
  return { message, username, role, token, expiresAt: session.expiresAt }
}
