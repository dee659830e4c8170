import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { isLoopbackHost } from '../../protocol/loopback.js'
import { networkOf } from '../auth/networks.js'

export interface ConnectionLimitOptions {
  /** The limit of open descriptors of the process. */
  descriptors: number
  /** Connections then come from our own proxies, and are not counted by address. */
  trustProxy: number
  /** How long a connection may be silent before its first byte; default 10 s. */
  firstByteMs?: number
}

export interface Connections {
  /** All open connections. */
  readonly open: ReadonlySet<Socket>
  /** Records that a request has arrived on the connection, which may be a TLS socket. */
  noteRequest(socket: Socket): void
}

/**
 * Limits connections in total, by network, and without a request, so that descriptors are left for files and processes.
 * Near the limit, connections without a request are closed, oldest first, before new ones are rejected. Rejected
 * connections are closed without a response, which would occupy a descriptor.
 */
export function limitConnections(server: Server, options: ConnectionLimitOptions): Connections {
  const { descriptors, trustProxy, firstByteMs = 10_000 } = options
  const { all, perNetwork, crowded } = connectionLimits(descriptors)
  const open = new Set<Socket>()
  const withoutRequest = new Set<Socket>()
  const byNetwork = new Map<string, number>()
  server.maxConnections = all

  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress
    // Node's own listener is removed from connections that leave its parser, as by CONNECT.
    socket.on('error', () => {})
    if (address !== undefined && trustProxy === 0 && !isLoopbackHost(address)) {
      const network = networkOf(address)
      const count = byNetwork.get(network) ?? 0
      if (count >= perNetwork) {
        socket.destroy()
        return
      }
      byNetwork.set(network, count + 1)
      socket.once('close', () => decrease(byNetwork, network))
    }
    open.add(socket)
    withoutRequest.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      withoutRequest.delete(socket)
    })
    endSilence(socket, firstByteMs)
    if (open.size > crowded) makeRoomFor(socket)
  })
  server.on('secureConnection', (socket: Socket) => {
    socket.on('error', () => {})
    endSilence(socket, firstByteMs)
  })

  function makeRoomFor(newest: Socket): void {
    const [oldest] = withoutRequest
    if (oldest && oldest !== newest) oldest.destroy()
    else server.closeIdleConnections()
  }

  return {
    open,
    noteRequest: (socket) => withoutRequest.delete(below(socket)),
  }
}

/** A quarter of the descriptors, at least 64, is reserved for files, pipes and threads. */
export function connectionLimits(descriptors: number): { all: number; perNetwork: number; crowded: number } {
  const all = Math.max(8, descriptors - Math.max(64, Math.ceil(descriptors / 4)))
  return { all, perNetwork: Math.max(4, Math.min(256, Math.floor(all / 4))), crowded: Math.floor(all * 0.9) }
}

/** Closes the connection if no byte arrives in time. */
function endSilence(socket: Socket, limitMs: number): void {
  const before = socket.bytesRead
  const timer = setTimeout(() => {
    if (socket.bytesRead === before) socket.destroy()
  }, limitMs)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}

/** The accepted socket, also below TLS. */
function below(socket: Socket & { _parent?: Socket }): Socket {
  return socket._parent ?? socket
}

function decrease(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 1) - 1
  if (left > 0) counts.set(key, left)
  else counts.delete(key)
}
