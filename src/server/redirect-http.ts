import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { Problem, problemBody } from '../protocol/problems.js'
import { limitConnections } from './http/connection-limits.js'
import { LingeringResponse } from './http/lingering-response.js'
import { listen } from './http/listen.js'
import { checkHost } from './routing/host-check.js'

export interface RedirectOptions {
  host: string
  /** 0 chooses a free port. */
  port: number
  /** Where https is served on the same host. */
  httpsPort: number
  /** Where requests are sent instead, if it is an https URL. */
  publicUrl: string | null
  /** How many descriptors its connections may use, about. */
  descriptors: number
}

export interface Redirect {
  /** The actual port. */
  port: number
  close(): Promise<void>
}

/**
 * Listens for plain HTTP and answers every request by a redirect to https, 308, which keeps the method (RFC 9110 section
 * 15.4.9), the path and the query. Hosts are refused as `hostCheck` does. Nothing of a body is read.
 */
export async function openRedirect(options: RedirectOptions): Promise<Redirect> {
  const server = http.createServer({ ServerResponse: LingeringResponse, requireHostHeader: false })
  server.headersTimeout = 20_000
  server.requestTimeout = 30_000
  server.keepAliveTimeout = 5_000
  const connections = limitConnections(server, { descriptors: options.descriptors, trustProxy: 0 })
  const handle = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    connections.noteRequest(incoming.socket)
    answer(incoming, outgoing, options)
  }
  server.on('request', handle)
  // The body of a client that asks first stays where it is.
  server.on('checkContinue', handle)
  const port = await listen(server, { ...options, portFlag: '--redirect-http' })
  server.on('error', () => {})
  const closed = new Promise<void>((resolve) => server.once('close', resolve))
  return {
    port,
    close() {
      server.close()
      for (const socket of connections.open) socket.destroy()
      return closed
    },
  }
}

function answer(incoming: IncomingMessage, outgoing: ServerResponse, options: RedirectOptions): void {
  outgoing.setHeader('Cache-Control', 'no-store')
  outgoing.setHeader('X-Content-Type-Options', 'nosniff')
  try {
    const location = locationOf(incoming, options)
    outgoing.writeHead(308, { Location: location, 'Content-Type': 'text/plain; charset=utf-8' })
    outgoing.end(`Use ${location}\n`)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    outgoing.writeHead(error.status, { 'Content-Type': 'application/problem+json' })
    outgoing.end(JSON.stringify(problemBody(error)))
  }
}

/** Throws `host-not-allowed` and `invalid-request`. */
function locationOf({ url = '', headers }: IncomingMessage, options: RedirectOptions): string {
  const { host, httpsPort, publicUrl } = options
  // RFC 9112 section 3.2.2: the host of an absolute target replaces Host.
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url)
  const asked = absolute?.[1] ?? headers.host
  const target = absolute ? (absolute[2] ?? '').replace(/^(?!\/)/, '/') : url
  checkHost(asked, { host, publicUrl })
  if (!target.startsWith('/')) throw new Problem('invalid-request', 'The target of the request is no path.')
  if (publicUrl?.startsWith('https:')) return `${publicUrl}${target}`
  const name = /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d*)?$/i.exec(asked ?? '')?.[1]
  if (name === undefined) throw new Problem('invalid-request', 'The header Host is missing, or names no host.')
  return `https://${name}${httpsPort === 443 ? '' : `:${httpsPort}`}${target}`
}
