import type { ClientRequest } from 'node:http'

/** Some proxies swallow the `100 Continue`: after a while the body is sent all the same (RFC 9110, section 10.1.1). */
const continueTimeoutMs = 3_000

/** Sends the head of a request that expects `100 Continue`, and waits until its body is wanted, or is not any more. */
export function untilWanted(request: ClientRequest, waitSeconds: number | null): Promise<void> {
  request.flushHeaders()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, continueTimeoutMs + (waitSeconds ?? 0) * 1000)
    const settle = () => {
      clearTimeout(timer)
      resolve()
    }
    request.once('continue', settle).once('response', settle).once('close', settle)
  })
}
