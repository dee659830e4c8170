import type { IncomingMessage } from 'node:http'
import { DirectSocket } from '../direct-socket.js'
import type { BufferPool } from './buffer-pool.js'
import { collect } from './collect.js'

/** Below this, a connection that can be used again is worth more. */
const directBytes = 4 * 1024 ** 2

/**
 * Reads a response's body in large chunks, each to be given back to the pool. To be called as soon as the head of the
 * response is there. Rejects when the body is cut short.
 */
export function readBody(response: IncomingMessage, pool: BufferPool): AsyncGenerator<Buffer> {
  const length = plainLength(response)
  const { socket } = response
  const direct = length !== undefined && length >= directBytes && socket instanceof DirectSocket && socket.divert()
  return direct ? readDirectly(response, socket, length) : collect(response, pool)
}

async function* readDirectly(response: IncomingMessage, socket: DirectSocket, length: number): AsyncGenerator<Buffer> {
  // The parser learns that the connection was cut, though it has seen next to nothing of the body.
  response.on('error', () => {})
  try {
    let left = length
    // What came together with the head.
    for (let chunk: Buffer | null = response.read(); chunk !== null; chunk = response.read()) {
      left -= chunk.length
      yield chunk
    }
    while (left > 0) {
      const chunk = await socket.takeChunk()
      left -= chunk.length
      if (left < 0) throw new Error('The server sent more than it announced.')
      yield chunk
    }
  } finally {
    // The parser still waits for the body, so the connection cannot be used again.
    socket.destroy()
  }
}

/** The length of a body that comes as it is, in one piece. */
function plainLength({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined || headers['content-length'] === undefined) return undefined
  return Number(headers['content-length'])
}
