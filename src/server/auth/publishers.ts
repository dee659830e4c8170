import { Problem } from '../../protocol/problems.js'
import { publishes } from '../../protocol/roles.js'
import type { Account, AccountStore } from '../stores/accounts.js'

/** The ops account of that name, whose files clients may read. Throws `account-not-found`, also for a disabled one. */
export async function getPublisher(accounts: Pick<AccountStore, 'find'>, username: string): Promise<Account> {
  const account = await accounts.find('ops', username)
  if (account && !account.disabled) return account
  throw new Problem('account-not-found', `There is no ops account "${username}".`, { username })
}

/** The ops accounts that are not disabled, by their names. */
export async function listPublishers(accounts: Pick<AccountStore, 'list'>): Promise<Account[]> {
  const all = await accounts.list()
  const publishing = all.filter(({ role, disabled }) => publishes[role] && !disabled)
  return publishing.toSorted((one, other) => (one.username < other.username ? -1 : 1))
}

/** The name of a published file for clients and their jobs. Their own files cannot have such names. */
export function publishedName(publisher: Pick<Account, 'username'>, name: string): string {
  return `ops:${publisher.username}/${name}`
}
