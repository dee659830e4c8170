import type { IncomingMessage } from 'node:http'
import { isProxied } from '../../http/connection.js'
import { findWait } from './preferences.js'

/**
 * How long a request waits for a slot, in milliseconds: `Prefer: wait=SECONDS`, or `byDefault`. Proxies time out after
 * a minute (nginx: `proxy_read_timeout`), which their clients take for an error: the wait ends before that.
 */
export function slotWaitOf(incoming: IncomingMessage, byDefault = 0): number {
  const waitMs = findWait(incoming.headers.prefer as string | undefined) ?? byDefault
  return isProxied(incoming) ? Math.min(waitMs, proxiedWaitMs) : waitMs
}

const proxiedWaitMs = 50_000
