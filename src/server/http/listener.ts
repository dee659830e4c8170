import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import { readAsteriskForm } from './asterisk-form.js'
import { closeIfReset } from './connection.js'
import { type ConnectionLimitOptions, limitConnections } from './connection-limits.js'
import { awaitContinue } from './continue.js'
import { LingeringResponse } from './lingering-response.js'
import { listen } from './listen.js'
import { answerConnect, answerMalformed, answerUnreadable } from './malformed.js'
import { PipelinedRequest } from './pipelined-request.js'
import { Pipelines } from './pipelines.js'
import { readTlsPair, type TlsFiles, type TlsPair } from './tls-pair.js'
import { tlsPolicy } from './tls-policy.js'
import { renewTls, type TlsRenewalOptions } from './tls-renewal.js'

export interface ListenerOptions extends ConnectionLimitOptions {
  host: string
  /** 0 chooses a free port. */
  port: number
  tls: TlsFiles | null
  fetch: Parameters<typeof getRequestListener>[0]
  /**
   * The time limit for the headers of a request; default 20 s. Checked at intervals of 5 s, or of the limit if shorter.
   */
  headersTimeoutMs?: number
  /** How often the files of TLS are looked at, in milliseconds; default 2 s. */
  watchTlsMs?: number
  /** Called once new connections get another certificate. Default: ignored. */
  onTlsRenewed?: (pair: TlsPair) => void
  /** Called with the reason why new files of TLS are not used. Default: ignored. */
  onTlsKept?: (error: unknown) => void
  /** Called with the error of a connection that could not be accepted. */
  onError(error: Error): void
}

export interface Listener {
  /** The actual port. */
  port: number
  /** Reads the certificate and its key again, where there are any. */
  renewTls(): void
  /** Stops accepting connections and closes the idle ones. */
  refuseMore(): void
  /** Waits briefly for pending responses, then closes all open connections. Resolves when all are closed. */
  close(): Promise<void>
}

/** Opens the port. Throws with advice if it is in use or not allowed. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const pair = options.tls && readTlsPair(options.tls)
  const server = createServer(options, pair)
  // No time limit on a whole request: an upload may take days. The flow detects stalls.
  server.requestTimeout = 0
  server.headersTimeout = options.headersTimeoutMs ?? 20_000
  server.keepAliveTimeout = 65_000
  // Node silently drops headers after the first thousand, including an If-Match. Their total limit of 16 KiB is
  // sufficient.
  server.maxHeadersCount = 0
  // A client may close its sending side after the request and still read the response; see `hangUpSignal`. Not over
  // TLS, where Node closes the connection: before TLS 1.3, the end of one side ends both (RFC 5246 section 7.2.1).
  Object.assign(server, { httpAllowHalfOpen: true })
  const answer = getRequestListener(options.fetch, {
    autoCleanupIncoming: false,
    overrideGlobalObjects: false,
    // For a request without one; `checkHead` decides whether that is allowed.
    hostname: 'localhost',
    errorHandler: answerUnreadable,
  })
  const connections = limitConnections(server, options)
  server.on('connection', closeIfReset)
  const pipelines = new Pipelines()
  const handle = (incoming: PipelinedRequest, outgoing: http.ServerResponse) => {
    connections.noteRequest(incoming.socket)
    readAsteriskForm(incoming)
    pipelines.add(incoming, outgoing, () => answer(incoming, outgoing))
  }
  server.on('request', handle)
  server.on('checkContinue', (incoming: PipelinedRequest, outgoing: http.ServerResponse) => {
    awaitContinue(incoming, outgoing)
    handle(incoming, outgoing)
  })
  server.on('checkExpectation', handle)
  server.on('connect', (_incoming, socket) => {
    if (pipelines.running(socket as Socket)) socket.destroy()
    else answerConnect(socket as Socket)
  })
  server.on('clientError', (error, socket) => {
    answerMalformed(error, socket as Socket, pipelines)
  })
  const port = await listen(server, options)
  server.on('error', options.onError)
  const closed = new Promise<void>((resolve) => server.once('close', resolve))

  const renewal = options.tls && pair && renewTls(server as https.Server, renewalOptions(options, options.tls, pair))

  return {
    port,
    renewTls: () => renewal?.renew(),
    refuseMore() {
      server.close()
      server.closeIdleConnections()
    },
    async close() {
      renewal?.close()
      server.close()
      await allClosed(pipelines.allRunning(), lastAnswersMs)
      for (const socket of connections.open) socket.destroy()
      await closed
    },
  }
}

/** A job ends after its clean-up; its response is sent after that. */
export const lastAnswersMs = 1000

/** Resolves when all responses are closed, or the time is over. */
export async function allClosed(unanswered: http.ServerResponse[], limitMs: number): Promise<void> {
  const closed = unanswered.map((outgoing) => new Promise((resolve) => outgoing.once('close', resolve)))
  const late = new AbortController()
  const limit = delay(limitMs, undefined, { signal: late.signal }).catch(() => {})
  await Promise.race([Promise.all(closed), limit])
  late.abort()
}

function createServer({ headersTimeoutMs = 5_000 }: ListenerOptions, pair: TlsPair | null): http.Server | https.Server {
  const options = {
    IncomingMessage: PipelinedRequest,
    ServerResponse: LingeringResponse,
    connectionsCheckingInterval: Math.min(5_000, headersTimeoutMs),
    // Node's own response would have no body: see `checkHead`.
    requireHostHeader: false,
  }
  if (!pair) return http.createServer(options)
  return https.createServer({ ...options, ...tlsPolicy, cert: pair.cert, key: pair.key })
}

function renewalOptions(options: ListenerOptions, files: TlsFiles, pair: TlsPair): TlsRenewalOptions {
  const { watchTlsMs, onTlsRenewed: onRenewed = () => {}, onTlsKept: onKept = () => {} } = options
  return { files, pair, ...(watchTlsMs === undefined ? {} : { watchMs: watchTlsMs }), onRenewed, onKept }
}
