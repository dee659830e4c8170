import type { AccountQuota, Room } from './accounts.js'
import { asSizeLimit } from './options/option-values.js'
import { formatBytes } from './units.js'

export const quotaMeaning = 'space for its files and tables, such as 5G; none: no limit; default: that of the server'

/** Parses `5G`, `none` or `default`. `source` is what it is given as. Throws `invalid-request`. */
export function parseQuota(text: string, source: string): AccountQuota {
  return text === 'default' ? null : (asSizeLimit(text, source) ?? 'none')
}

/** As `parseQuota` reads it, if the size were exact. */
export function formatQuota(quota: AccountQuota): string {
  return typeof quota === 'number' ? formatBytes(quota) : (quota ?? 'default')
}

/** `1.2 GiB of 5.0 GiB used, 3.8 GiB free`. */
export function formatRoom({ used, quota, free }: Room): string {
  const total = quota === null ? '' : ` of ${formatBytes(quota)}`
  return `${formatBytes(used)}${total} used${free === null ? '' : `, ${formatBytes(free)} free`}`
}
