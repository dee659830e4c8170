import { type AccountStore, accountName } from '../stores/accounts.js'
import type { PublishedFiles, Space } from '../stores/files.js'
import type { TableStore } from '../stores/tables.js'
import type { Usage } from '../stores/usage.js'

export interface UsageStores {
  files: Pick<PublishedFiles, 'usage'>
  tables: Pick<TableStore, 'usage'>
}

/** Bytes of everything that counts towards an account's quota. */
export function usageOf({ files, tables }: UsageStores): Usage['of'] {
  return async (space: Space) => (await files.usage(space)) + (await tables.usage(space))
}

/** Asks for one account after the other. */
export function usageByAccount({ accounts, ...stores }: UsageStores & { accounts: Pick<AccountStore, 'list'> }): Usage {
  const of = usageOf(stores)
  return {
    of,
    async all() {
      const found = new Map<string, number>()
      for (const account of await accounts.list()) found.set(accountName(account), await of(account))
      return found
    },
  }
}
