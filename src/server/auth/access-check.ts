import { Problem } from '../../protocol/problems.js'
import type { AccountStore } from '../stores/accounts.js'

/** Asked before a job publishes, because its session may have ended long ago. Throws `not-allowed`. */
export function accessCheck(accounts: Pick<AccountStore, 'get'>) {
  return async (accountId: number): Promise<void> => {
    const account = await accounts.get(accountId)
    if (!account || account.disabled) throw new Problem('not-allowed', 'The account was disabled meanwhile.')
  }
}
