import type { AccountQuota, Room } from '../../protocol/accounts.js'
import { Problem } from '../../protocol/problems.js'
import { formatBytes } from '../../protocol/units.js'

/** The quota in force, in bytes; null for none. */
export function effectiveQuota(own: AccountQuota, ofServer: number | null): number | null {
  if (own === null) return ofServer
  return own === 'none' ? null : own
}

/** All in bytes. `onDisk`: what is left of the disk; infinity if unlimited. */
export function roomOf({ onDisk, ...figures }: Omit<Room, 'free'> & { onDisk: number }): Room {
  const { used, reserved, quota } = figures
  const ofQuota = quota === null ? Number.POSITIVE_INFINITY : quota - used - reserved
  const free = Math.max(0, Math.min(ofQuota, onDisk))
  return { ...figures, free: Number.isFinite(free) ? free : null }
}

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
