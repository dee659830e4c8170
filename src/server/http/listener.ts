import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import { Problem } from '../../protocol/problems.js'
import { awaitContinue } from './continue.js'
import { LingeringResponse } from './lingering-response.js'
import { answerMalformed, answerUnreadable } from './malformed.js'

export interface ListenerOptions {
  host: string
  /** 0 takes any free port. */
  port: number
  tls: { certFile: string; keyFile: string } | null
  fetch: Parameters<typeof getRequestListener>[0]
  /** How long the headers of a request may take; default 60 s. Looked at in steps of half a minute, or of that. */
  headersTimeoutMs?: number
}

export interface Listener {
  /** The port that it listens on. */
  port: number
  /** Accepts no connection more and closes those on which nothing is under way. */
  refuseMore(): void
  /** Lets answers that are on their way arrive, for a moment, and closes what is still open. Resolves when nothing is. */
  close(): Promise<void>
}

/** Opens the port. Throws with what to do where it is taken or not allowed. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const server = createServer(options)
  // No time limit on a whole request: an upload may take days. A flow notices when nothing moves.
  server.requestTimeout = 0
  server.headersTimeout = options.headersTimeoutMs ?? 60_000
  server.keepAliveTimeout = 65_000
  const answer = getRequestListener(options.fetch, {
    autoCleanupIncoming: false,
    overrideGlobalObjects: false,
    errorHandler: answerUnreadable,
  })
  const unanswered = new Set<http.ServerResponse>()
  const latest = new WeakMap<Socket, http.ServerResponse>()
  const handle = (incoming: http.IncomingMessage, outgoing: http.ServerResponse) => {
    // Requests that were sent behind one another must take effect in that order: Node hands them over at once.
    const earlier = latest.get(incoming.socket)
    latest.set(incoming.socket, outgoing)
    const isDue = !earlier || !unanswered.has(earlier)
    unanswered.add(outgoing)
    outgoing.on('close', () => unanswered.delete(outgoing))
    if (isDue) answer(incoming, outgoing)
    else earlier.once('close', () => (incoming.destroyed ? undefined : answer(incoming, outgoing)))
  }
  server.on('request', handle)
  server.on('checkContinue', (incoming, outgoing) => {
    awaitContinue(incoming, outgoing)
    handle(incoming, outgoing)
  })
  server.on('clientError', (error, socket) => {
    const due = [...unanswered].find((outgoing) => outgoing.socket === socket)
    answerMalformed(error, socket as Socket, due)
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, options)))
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, resolve)
  })
  const closed = new Promise<void>((resolve) => server.once('close', resolve))

  return {
    port: (server.address() as AddressInfo).port,
    refuseMore() {
      server.close()
      server.closeIdleConnections()
    },
    async close() {
      server.close()
      await allClosed(unanswered, lastAnswersMs)
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** A job has ended when nothing is left to clean up; its answer goes out after that. */
const lastAnswersMs = 1000

async function allClosed(unanswered: Set<http.ServerResponse>, limitMs: number): Promise<void> {
  const closed = [...unanswered].map((outgoing) => new Promise((resolve) => outgoing.once('close', resolve)))
  const late = new AbortController()
  const limit = delay(limitMs, undefined, { signal: late.signal }).catch(() => {})
  await Promise.race([Promise.all(closed), limit])
  late.abort()
}

function createServer({ tls, headersTimeoutMs = 30_000 }: ListenerOptions): http.Server | https.Server {
  const connectionsCheckingInterval = Math.min(30_000, headersTimeoutMs)
  const options = { ServerResponse: LingeringResponse, connectionsCheckingInterval }
  if (!tls) return http.createServer(options)
  // Node offers HTTP/1.1 alone, and refuses `curl --http1.0` in the handshake.
  const protocols = { ALPNProtocols: ['http/1.1', 'http/1.0'] }
  return https.createServer({ ...options, ...protocols, cert: readPem(tls.certFile), key: readPem(tls.keyFile) })
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Problem('invalid-request', `Cannot read ${file}: ${(error as Error).message}`, {}, { cause: error })
  }
}

function explain(error: NodeJS.ErrnoException, { host, port }: ListenerOptions): Error {
  const where = `${host}:${port}`
  const advice: Record<string, string> = {
    EADDRINUSE: `Another program listens on ${where} already: choose another port with --port.`,
    EACCES: `This user may not listen on ${where}: choose a port above 1023 with --port.`,
    EADDRNOTAVAIL: `${host} is no address of this machine: choose another one with --host.`,
    ENOTFOUND: `${host} is not a known host: choose another one with --host.`,
  }
  const message = advice[error.code ?? '']
  return message ? new Problem('busy', message, {}, { cause: error }) : error
}
