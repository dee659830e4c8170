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
import { ReadBufferPool } from './transfers/buffer-pool.js'

/**
 * Requests with streamed bodies. They use Node's own client: bytes are not copied again, and a response that arrives
 * before the body is sent is seen at once, which a stopped upload depends on.
 */
export interface HttpClient {
  readonly server: string
  /** The pool that provides the buffers for large response bodies. */
  readonly pool: ReadBufferPool
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
/** TCP keep-alive detects a peer that vanished silently, also while a job is paused. */
const probeAfterMs = 15_000

export async function openHttpClient(server: string, token: string, userAgent: string): Promise<HttpClient> {
  const pool = new ReadBufferPool()
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
  readonly #pool: ReadBufferPool

  constructor(pool: ReadBufferPool, options: AgentOptions) {
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
