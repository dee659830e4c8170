import type { IncomingMessage } from 'node:http'
import { responseLength } from '../../protocol/body-length.js'
import { DirectSocket } from '../direct-socket.js'
import type { ReadBufferPool } from './buffer-pool.js'
import { collect } from './collect.js'

/** For smaller bodies, a reusable connection is worth more. */
const directBytes = 4 * 1024 ** 2

/**
 * Reads a response's body in large chunks; give each back to the pool. Call it as soon as the head of the response
 * arrives. Rejects if the body is incomplete.
 */
export function readBody(response: IncomingMessage, pool: ReadBufferPool): AsyncGenerator<Buffer> {
  const length = responseLength(response.headers)
  const { socket } = response
  const direct = length !== null && length >= directBytes && socket instanceof DirectSocket && socket.divert()
  return direct ? readDirectly(response, socket, length) : collect(response, pool)
}

async function* readDirectly(response: IncomingMessage, socket: DirectSocket, length: number): AsyncGenerator<Buffer> {
  // Tell the parser that the connection was cut: it has seen almost nothing of the body.
  response.on('error', () => {})
  try {
    let left = length
    // Bytes that arrived together with the head.
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
    // The parser still expects the body, so the connection cannot be reused.
    socket.destroy()
  }
}
