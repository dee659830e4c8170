import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Problem, problemBody } from '../../protocol/problems.js'
import { awaitContinue } from './continue.js'
import { LingeringResponse } from './lingering-response.js'
import { allClosed, type Listener, type ListenerOptions, lastAnswersMs } from './listener.js'
import { answerUnreadable } from './malformed.js'
import { Pipelines } from './pipelines.js'

/** Where a server answers requests in place of a port of its own. */
export interface Mount {
  server: Server | HttpsServer
  /** Without a slash at its end; empty for all requests. */
  path: string
}

type RequestHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/**
 * Answers the requests below a path of an HTTP server of another program; the others go to the listeners that it has.
 * Closing gives all of them back. Limits of connections, and malformed requests, are the other server's.
 */
export function mountListener({ server, path }: Mount, fetch: ListenerOptions['fetch']): Listener {
  const answer = getRequestListener(fetch, {
    autoCleanupIncoming: false,
    overrideGlobalObjects: false,
    hostname: 'localhost',
    errorHandler: answerUnreadable,
  })
  const pipelines = new Pipelines()
  let isOpen = true
  const handle: RequestHandler = (incoming, outgoing) => {
    const own = LingeringResponse.of(outgoing)
    if (path !== '') prefixLocation(own, path)
    if (isOpen) pipelines.add(incoming, own, () => answer(incoming, own))
    else refuse(own)
  }
  const others = {
    request: takeListeners(server, 'request'),
    checkContinue: takeListeners(server, 'checkContinue'),
  }
  const pass = (event: 'request' | 'checkContinue', ...exchange: Parameters<RequestHandler>) => {
    for (const listener of others[event]) listener.call(server, ...exchange)
  }
  const onRequest: RequestHandler = (incoming, outgoing) => {
    if (enterPath(incoming, path)) handle(incoming, outgoing)
    else pass('request', incoming, outgoing)
  }
  const onContinue: RequestHandler = (incoming, outgoing) => {
    if (enterPath(incoming, path)) {
      awaitContinue(incoming, outgoing)
      handle(incoming, outgoing)
    } else if (others.checkContinue.length > 0) pass('checkContinue', incoming, outgoing)
    else {
      // As Node does without a listener.
      outgoing.writeContinue()
      pass('request', incoming, outgoing)
    }
  }
  server.on('request', onRequest)
  server.on('checkContinue', onContinue)
  // No time limit on a whole request: an upload may take days. The flow detects stalls.
  const { requestTimeout } = server
  server.requestTimeout = 0

  return {
    port: (server.address() as AddressInfo | null)?.port ?? 0,
    // Its certificate is the other server's.
    renewTls() {},
    refuseMore() {
      isOpen = false
    },
    async close() {
      const running = pipelines.allRunning()
      await allClosed(running, lastAnswersMs)
      for (const outgoing of running) if (!outgoing.closed) outgoing.req.socket.destroy()
      server.off('request', onRequest).off('checkContinue', onContinue)
      for (const listener of others.request) server.on('request', listener)
      for (const listener of others.checkContinue) server.on('checkContinue', listener)
      server.requestTimeout = requestTimeout
    },
  }
}

function takeListeners(server: Server | HttpsServer, event: 'request' | 'checkContinue'): RequestHandler[] {
  const listeners = server.listeners(event) as RequestHandler[]
  server.removeAllListeners(event)
  return listeners
}

/** Whether a request is for the path or below it; then its target becomes what follows the path. */
function enterPath(incoming: IncomingMessage, path: string): boolean {
  const { url = '' } = incoming
  if (path === '') return true
  if (!url.startsWith(path) || !/^(?:[/?]|$)/.test(url.slice(path.length))) return false
  const rest = url.slice(path.length)
  incoming.url = rest.startsWith('/') ? rest : `/${rest}`
  return true
}

/** Addresses that the server answers begin at its own root. */
function prefixLocation(outgoing: ServerResponse, path: string): void {
  const { writeHead } = outgoing
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of writeHead have no common type
  outgoing.writeHead = (status: number, ...rest: any[]) => {
    for (const headers of rest) {
      if (typeof headers !== 'object' || headers === null) continue
      for (const name of Object.keys(headers)) {
        if (name.toLowerCase() === 'location') headers[name] = below(path, headers[name])
      }
    }
    const set = outgoing.getHeader('location')
    if (set !== undefined) outgoing.setHeader('location', below(path, String(set)))
    return writeHead.call(outgoing, status, ...rest)
  }
}

function below(path: string, location: string): string {
  return location.startsWith('/') ? path + location : location
}

function refuse(outgoing: ServerResponse): void {
  const problem = new Problem('shutting-down', 'The server is shutting down: try again later.')
  outgoing.writeHead(problem.status, { 'Content-Type': 'application/problem+json', 'Retry-After': '5' })
  outgoing.end(JSON.stringify(problemBody(problem)))
}
