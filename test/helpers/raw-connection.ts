import net from 'node:net'
import tls from 'node:tls'
import { onTestFinished } from 'vitest'
import { within } from './eventually.js'

/** A connection on which a test can send any bytes, including protocol violations. */
export interface RawConnection {
  readonly socket: net.Socket
  /** All that came so far, as Latin-1. */
  readonly text: string
  send(what: string | Uint8Array): void
  /** Ends it as a machine does that has lost it. */
  reset(): void
  /** Resolves once what came matches. */
  says(pattern: RegExp, limitMs?: number): Promise<RegExpMatchArray>
  /** Resolves once the other side has ended: with all that came, and the error's code where it was cut. */
  ended(limitMs?: number): Promise<{ text: string; error: string | null }>
}

/** Connects to the server of `url`; closed with the test at the latest. */
export async function connectTo(url: string): Promise<RawConnection> {
  const { protocol, hostname, port } = new URL(url)
  const target = { host: hostname, port: Number(port) }
  const below = net.connect(target)
  const socket = protocol === 'https:' ? tls.connect({ socket: below, rejectUnauthorized: false }) : below
  onTestFinished(() => void socket.destroy())
  below.on('error', () => {})
  const chunks: Buffer[] = []
  let error: string | null = null
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', (cause: NodeJS.ErrnoException) => {
    error ??= cause.code ?? cause.message
  })
  const text = () => Buffer.concat(chunks).toString('latin1')
  const ended = new Promise<{ text: string; error: string | null }>((resolve) => {
    socket.on('end', () => {
      if (isReset(below)) error ??= 'ECONNRESET'
      resolve({ text: text(), error })
    })
    socket.on('close', () => resolve({ text: text(), error }))
  })
  await within(
    'connected',
    new Promise((resolve) => socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', resolve)),
  )
  return {
    socket,
    get text() {
      return text()
    },
    send: (what) => void socket.write(what),
    reset: () => void below.resetAndDestroy(),
    says(pattern, limitMs) {
      const said = new Promise<RegExpMatchArray>((resolve, reject) => {
        const look = () => {
          const match = text().match(pattern)
          if (!match) return
          socket.off('data', look)
          resolve(match)
        }
        socket.on('data', look)
        look()
        ended.then(() => reject(new Error(`The connection ended (${error}) without ${pattern}: ${text()}`)))
      })
      return within(`${pattern} on the connection`, said, limitMs)
    },
    ended: (limitMs) => within('the end of the connection', ended, limitMs),
  }
}

/** Node reports a reset as an ordinary end if data arrived just before: then the system knows no peer any more. */
function isReset(socket: net.Socket & { _handle?: { getpeername?(result: object): number } | null }): boolean {
  return !!socket._handle?.getpeername && socket._handle.getpeername({}) !== 0
}

/** The head of a request: start line and headers, with Host and the token, and the empty line. */
export function head(startLine: string, token: string | null, headers: Record<string, string | number> = {}): string {
  const lines = [`${startLine} HTTP/1.1`, 'Host: 127.0.0.1']
  if (token !== null) lines.push(`Authorization: Bearer ${token}`)
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** The status of every final answer in what came. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/(?:^|\r\n|[^\r])HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]))
}
