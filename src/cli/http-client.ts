import {
  Agent,
  type AgentOptions,
  type ClientRequest,
  type ClientRequestArgs,
  type OutgoingHttpHeaders,
  request,
} from 'node:http'
import type { SocketConstructorOpts, TcpNetConnectOpts } from 'node:net'
import { DirectSocket } from './direct-socket.js'
import { BufferPool } from './transfers/buffer-pool.js'

/**
 * Requests whose bodies are streams. They use Node's own client: bytes then make no detour, and an answer that comes in
 * the middle of a body is seen at once, which decides whether a stopped upload can say so.
 */
export interface HttpClient {
  readonly server: string
  /** Whose buffers the bodies of large responses come in. */
  readonly pool: BufferPool
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
  const pool = new BufferPool()
  const options = { keepAlive: true, keepAliveMsecs: probeAfterMs }
  const https = server.startsWith('https:') ? await import('node:https') : undefined
  const agent = https ? new https.Agent(options) : new DirectAgent(pool, options)
  const start = https ? https.request : request
  return {
    server,
    pool,
    open(method, path, headers = {}) {
      const opened = start(server + path, {
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

class DirectAgent extends Agent {
  readonly #pool: BufferPool

  constructor(pool: BufferPool, options: AgentOptions) {
    super(options)
    this.#pool = pool
  }

  override createConnection(options: ClientRequestArgs): DirectSocket {
    const socket = new DirectSocket(options as SocketConstructorOpts, this.#pool)
    return socket.connect(options as TcpNetConnectOpts)
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
