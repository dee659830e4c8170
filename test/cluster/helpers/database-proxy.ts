import { once } from 'node:events'
import { type AddressInfo, createServer, connect as open, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface DatabaseProxy {
  url: string
  /** Whether NOTIFY reaches the clients; as through PgBouncer in transaction mode, nothing tells if not. */
  deliversNotices: boolean
  /** Whether new connections are accepted. */
  isOpen: boolean
  /** Whether the next commit is done, but its answer is lost with the connection. */
  losesNextCommit: boolean
  /** Whether no new connection is accepted after that. */
  closesWithCommit: boolean
  /** A connection is reset when its client sends this. */
  resetBy: string | null
  /** The texts of what the server has told beside its answers, by RAISE or a module. */
  readonly notices: string[]
  /** Resets every connection. */
  cut(): void
}

/** A proxy in front of PostgreSQL that loses what a test wants it to lose. */
export async function startDatabaseProxy(url: string): Promise<DatabaseProxy> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (!proxy.isOpen) return client.resetAndDestroy()
    const upstream = open(Number(port), hostname)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    client.on('data', (chunk) => {
      if (proxy.resetBy !== null && chunk.includes(proxy.resetBy)) client.resetAndDestroy()
      else upstream.write(chunk)
    })
    let rest = Buffer.alloc(0)
    upstream.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk])
      for (let end = endOfMessage(rest); end > 0; end = endOfMessage(rest)) {
        const message = rest.subarray(0, end)
        rest = rest.subarray(end)
        if (proxy.losesNextCommit && message.includes('COMMIT')) {
          proxy.losesNextCommit = false
          if (proxy.closesWithCommit) {
            proxy.isOpen = false
            proxy.cut()
          } else client.resetAndDestroy()
        }
        if (message[0] === noticeResponse) proxy.notices.push(textOfNotice(message))
        if (proxy.deliversNotices || message[0] !== notificationResponse) client.write(message)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = new URL(url)
  own.port = String((server.address() as AddressInfo).port)
  const proxy: DatabaseProxy = {
    url: own.href,
    deliversNotices: true,
    isOpen: true,
    losesNextCommit: false,
    closesWithCommit: false,
    resetBy: null,
    notices: [],
    cut() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
  }
  onTestFinished(() => {
    proxy.cut()
    server.close()
  })
  return proxy
}

/** A message of the server is a letter, the length of what follows in four bytes, and that. 0 if it is not whole. */
function endOfMessage(bytes: Buffer): number {
  const end = bytes.length < 5 ? Number.POSITIVE_INFINITY : 1 + bytes.readInt32BE(1)
  return end <= bytes.length ? end : 0
}

/** Its fields are a letter and a text that ends with a zero each; `M` is the text for people. */
function textOfNotice(message: Buffer): string {
  const fields = message.subarray(5).toString().split('\0')
  return fields.find((field) => field.startsWith('M'))?.slice(1) ?? ''
}

const noticeResponse = 'N'.charCodeAt(0)
const notificationResponse = 'A'.charCodeAt(0)
