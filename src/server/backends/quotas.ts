import { roles } from '../../protocol/roles.js'
import type { AccountStore } from '../stores/accounts.js'
import type { Space } from '../stores/files.js'
import { effectiveQuota } from '../stores/space-quota.js'

/** The quota of an account as it is when it is called, in bytes; null for none. `ofServer`: for accounts without one of their own. */
export function quotasOf(accounts: Pick<AccountStore, 'find'>, ofServer: number | null) {
  return async ({ role, username }: Space): Promise<number | null> => {
    const known = roles.find((one) => one === role)
    const account = known && (await accounts.find(known, username))
    return effectiveQuota(account?.quota ?? null, ofServer)
  }
}
