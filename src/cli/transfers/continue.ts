import type { ClientRequest } from 'node:http'

/** Some proxies drop `100 Continue`: send the body anyway after a while (RFC 9110, section 10.1.1). */
const continueTimeoutMs = 3_000

/** Sends the head of a request with `Expect: 100-continue`. Resolves with whether to send the body. */
export function untilWanted(request: ClientRequest, waitSeconds: number | null): Promise<boolean> {
  request.flushHeaders()
  return new Promise((resolve) => {
    const settle = (isWanted: boolean) => {
      clearTimeout(timer)
      resolve(isWanted)
    }
    const timer = setTimeout(settle, continueTimeoutMs + (waitSeconds ?? 0) * 1000, true)
    request.once('continue', () => settle(true))
    request.once('response', () => settle(false)).once('close', () => settle(false))
  })
}
