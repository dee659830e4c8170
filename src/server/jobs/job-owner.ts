import type { Identity } from '../auth/identity.js'
import { accountName } from '../stores/accounts.js'

/** Whose a job is. */
export interface JobOwner {
  /** The account that may see it, by id. */
  readonly accountId: number
  /** The account whose slots it takes: `role:username`, or that of a link, such as `request:ID`. */
  readonly account: string
}

/** The owner of the jobs of a request: its account, unless it comes by a link. */
export function ownerOf({ identity, account }: { identity: Identity; account?: string | undefined }): JobOwner {
  return { accountId: identity.account.id, account: account ?? accountName(identity.account) }
}

export function isSameOwner(a: JobOwner, b: JobOwner): boolean {
  return a.accountId === b.accountId && a.account === b.account
}
