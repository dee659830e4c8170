import { Problem } from '../../protocol/problems.js'
import type { Account, AccountStore } from '../stores/accounts.js'

/** The ops account of that name, whose files clients may read. Throws `account-not-found`, also for a disabled one. */
export async function getPublisher(accounts: Pick<AccountStore, 'find'>, username: string): Promise<Account> {
  const account = await accounts.find('ops', username)
  if (account && !account.disabled) return account
  throw new Problem('account-not-found', `There is no ops account "${username}".`, { username })
}

/** The name of a published file for clients and their jobs. Their own files cannot have such names. */
export function publishedName(publisher: Pick<Account, 'username'>, name: string): string {
  return `ops:${publisher.username}/${name}`
}
