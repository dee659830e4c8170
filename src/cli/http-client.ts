import type { ClientRequest, OutgoingHttpHeaders } from 'node:http'

/**
 * Requests whose bodies are streams. They use Node's own client: bytes then make no detour, and an answer that comes in
 * the middle of a body is seen at once, which decides whether a stopped upload can say so.
 */
export interface HttpClient {
  readonly server: string
  /** Opens a request; its headers are sent with the first byte of its body, or by `flushHeaders()`. */
  open(
    method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    headers?: OutgoingHttpHeaders,
  ): ClientRequest
  /** Closes idle connections. */
  close(): void
}

const connectTimeoutMs = 15_000
/** A peer that vanished without a word is noticed by the probes of the system, also while a job is paused. */
const probeAfterMs = 15_000

export async function openHttpClient(server: string, token: string, userAgent: string): Promise<HttpClient> {
  const { Agent, request } = await (server.startsWith('https:') ? import('node:https') : import('node:http'))
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: probeAfterMs })
  return {
    server,
    open(method, path, headers = {}) {
      const opened = request(server + path, {
        method,
        agent,
        headers: { 'user-agent': userAgent, authorization: `Bearer ${token}`, ...headers },
      })
      limitConnecting(opened)
      return opened
    },
    close() {
      agent.destroy()
    },
  }
}

function limitConnecting(request: ClientRequest): void {
  request.once('socket', (socket) => {
    socket.setKeepAlive(true, probeAfterMs)
    if (!socket.connecting) return
    const timer = setTimeout(() => {
      request.destroy(Object.assign(new Error('connecting took too long'), { code: 'ETIMEDOUT' }))
    }, connectTimeoutMs)
    socket.once('connect', () => clearTimeout(timer)).once('close', () => clearTimeout(timer))
  })
}
