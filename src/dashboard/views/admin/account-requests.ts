import type { AccountRecord } from '../../../protocol/accounts.js'
import { routes } from '../../../protocol/routes.js'
import { callApi } from '../../api.js'

/** The path of an account's requests. */
export function accountPath(account: string, part?: 'invitation'): string {
  const path = `${routes.accounts}/${account.split(':').map(encodeURIComponent).join(':')}`
  return part ? `${path}/${part}` : path
}

export function changeAccount(
  account: string,
  changes: Partial<Pick<AccountRecord, 'disabled' | 'quota'>>,
): Promise<AccountRecord> {
  return callApi<AccountRecord>('PATCH', accountPath(account), { json: changes })
}
