import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { PipelinedRequest } from './pipelined-request.js'

/** The requests of each connection, answered in order: Node emits them as soon as they are parsed. */
export class Pipelines {
  readonly #queues = new WeakMap<Socket, Queue>()
  readonly #running = new Set<ServerResponse>()

  /**
   * Calls `answer` after all earlier requests of the connection are answered (RFC 9112 section 9.3.2); never after a
   * response that closes the connection (section 9.6). Closes it if the queue exceeds its limits. It does not pause the
   * socket instead: a paused socket reports neither FIN nor RST, and the running request may have to end when its
   * client disconnects.
   */
  add(incoming: PipelinedRequest, outgoing: ServerResponse, answer: () => void): void {
    const { socket } = incoming
    if (!socket.writable) return
    const queue = this.#queues.get(socket) ?? this.#open(socket)
    const request = { incoming, outgoing, answer, bytes: 0 }
    if (!queue.running) {
      this.#run(queue, request)
      return
    }
    queue.waiting.push(request)
    const count = (bytes: number) => {
      request.bytes += bytes
      queue.waitingBytes += bytes
      if (queue.waiting.length > maxWaiting || queue.waitingBytes > maxWaitingBytes) socket.destroy()
    }
    incoming.onChunk = (bytes) => count(bytes + chunkOverhead)
    count(headBytes(incoming))
  }

  /** The pending response of the connection. */
  running(socket: Socket): ServerResponse | undefined {
    return this.#queues.get(socket)?.running
  }

  /** The pending responses of all connections. */
  allRunning(): ServerResponse[] {
    return [...this.#running]
  }

  #open(socket: Socket): Queue {
    const queue: Queue = { running: undefined, waiting: [], waitingBytes: 0 }
    this.#queues.set(socket, queue)
    socket.once('close', () => {
      queue.waiting.length = 0
    })
    return queue
  }

  #run(queue: Queue, { incoming, outgoing, answer, bytes }: Waiting): void {
    queue.running = outgoing
    queue.waitingBytes -= bytes
    incoming.onChunk = null
    this.#running.add(outgoing)
    outgoing.once('close', () => {
      this.#running.delete(outgoing)
      queue.running = undefined
      const next = incoming.socket.writable ? queue.waiting.shift() : undefined
      if (next) this.#run(queue, next)
    })
    answer()
  }
}

interface Waiting {
  incoming: PipelinedRequest
  outgoing: ServerResponse
  answer(): void
  bytes: number
}

interface Queue {
  running: ServerResponse | undefined
  waiting: Waiting[]
  waitingBytes: number
}

function headBytes({ method = '', url = '', rawHeaders }: PipelinedRequest): number {
  return rawHeaders.reduce((sum, text) => sum + text.length + 2, method.length + url.length + 14)
}

/** Requests that may be queued behind the running one. */
const maxWaiting = 16
/** Their heads and bodies together. */
const maxWaitingBytes = 64 * 1024
/** The memory overhead of a chunk, so that many small ones count. */
const chunkOverhead = 64
