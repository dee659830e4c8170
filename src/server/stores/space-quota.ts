import { Problem } from '../../protocol/problems.js'
import { formatBytes } from '../../protocol/units.js'

/** The problem of a reservation beyond the quota, all in bytes. `taken`: stored and reserved; `used`: stored. */
export function quotaExceeded(
  total: number,
  { taken, quota, used }: Record<'taken' | 'quota' | 'used', number>,
): Problem {
  const rest = formatBytes(Math.max(0, quota - taken))
  const message = `Quota exceeded: ${formatBytes(total)} are needed, ${rest} of ${formatBytes(quota)} are free.`
  return new Problem('quota-exceeded', message, { used })
}

/** The bytes that an upload of unknown length reserves when it has received `total`. */
export function withSomeAhead(total: number): number {
  return total + Math.ceil(Math.min(maxAheadBytes, Math.max(minAheadBytes, total / 4)))
}

const minAheadBytes = 1024 ** 2
const maxAheadBytes = 64 * 1024 ** 2
