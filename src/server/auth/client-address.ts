import { isIP } from 'node:net'

/**
 * The client's address, for limits and records: the peer of the connection or, behind `trustProxy` of our own proxies,
 * the address that the outermost of them saw: the Nth from the right of X-Forwarded-For. Entries further left can be
 * forged.
 */
export function clientAddress(
  remoteAddress: string | undefined,
  forwardedFor: string | undefined,
  trustProxy: number,
): string {
  const remote = remoteAddress ?? 'unknown'
  if (trustProxy === 0 || !forwardedFor) return remote
  const chain = forwardedFor.split(',').map((entry) => withoutPort(entry.trim()))
  const seen = chain[Math.max(0, chain.length - trustProxy)]!
  return isIP(seen) ? seen : remote
}

/** Some proxies write `1.2.3.4:5678` or `[2001:db8::1]:5678`. */
function withoutPort(entry: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(entry)?.[1] ?? entry
}
