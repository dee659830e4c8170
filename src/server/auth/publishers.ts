import { Problem } from '../../protocol/problems.js'
import type { Account, AccountStore } from '../stores/accounts.js'

/** The ops account of that name, whose files clients may read. Throws `account-not-found`, for a disabled one too. */
export async function getPublisher(accounts: Pick<AccountStore, 'find'>, username: string): Promise<Account> {
  const account = await accounts.find('ops', username)
  if (account && !account.disabled) return account
  throw new Problem('account-not-found', `There is no ops account "${username}".`, { username })
}

/** What clients, their jobs included, call a published file. No file of their own can have such a name. */
export function publishedName(publisher: Pick<Account, 'username'>, name: string): string {
  return `ops:${publisher.username}/${name}`
}
