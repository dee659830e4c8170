/** The account of the jobs of a link for uploads; it cannot log in. */
export function requestAccount(id: string): string {
  return `${prefix}${id}`
}

/** The id of the link whose job it is; undefined for the jobs of accounts. */
export function requestOfJob({ account }: { account: string }): string | undefined {
  return account.startsWith(prefix) ? account.slice(prefix.length) : undefined
}

const prefix = 'request:'
