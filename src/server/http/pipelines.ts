import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { PipelinedRequest } from './pipelined-request.js'

/** One of another HTTP server does not count its body. */
type QueuedRequest = IncomingMessage & Partial<Pick<PipelinedRequest, 'onChunk'>>

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
  add(incoming: QueuedRequest, outgoing: ServerResponse, answer: () => void): void {
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

  /** The pending response to the request that arrived last on the connection. */
  newest(socket: Socket): ServerResponse | undefined {
    const queue = this.#queues.get(socket)
    return queue?.waiting.at(-1)?.outgoing ?? queue?.running
  }

  /** Takes the request that arrived last out of the queue, unless it runs. */
  dropNewest(socket: Socket): void {
    this.#queues.get(socket)?.waiting.pop()
  }

  /** Calls `end`, the first one of a connection, after its pending responses, unless one of them closes it. */
  endAfterPending(socket: Socket, end: () => void): void {
    const queue = this.#queues.get(socket)
    if (queue) queue.end ??= end
  }

  /** The pending responses of all connections. */
  allRunning(): ServerResponse[] {
    return [...this.#running]
  }

  #open(socket: Socket): Queue {
    const queue: Queue = { running: undefined, waiting: [], waitingBytes: 0, end: undefined }
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
      if (!incoming.socket.writable) return
      const next = queue.waiting.shift()
      if (next) this.#run(queue, next)
      else queue.end?.()
    })
    answer()
  }
}

interface Waiting {
  incoming: QueuedRequest
  outgoing: ServerResponse
  answer(): void
  bytes: number
}

interface Queue {
  running: ServerResponse | undefined
  waiting: Waiting[]
  waitingBytes: number
  end: (() => void) | undefined
}

function headBytes({ method = '', url = '', rawHeaders }: QueuedRequest): number {
  return rawHeaders.reduce((sum, text) => sum + text.length + 2, method.length + url.length + 14)
}

/** Requests that may be queued behind the running one. */
const maxWaiting = 16
/** Their heads and bodies together. */
const maxWaitingBytes = 64 * 1024
/** The memory overhead of a chunk, so that many small ones count. */
const chunkOverhead = 64
