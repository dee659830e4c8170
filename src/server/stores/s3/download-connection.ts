import net, { type Socket } from 'node:net'
import tls from 'node:tls'
import { type Deferred, deferred } from '../../concurrency/deferred.js'
import { parseResponseHead, type ResponseHead } from './response-head.js'

export interface DownloadConnectionOptions {
  origin: URL
  /** The connection fails after this time without a byte, in milliseconds; also while it is being established or its reader pauses. */
  idleMs: number
  /** Called when the last byte of a response was read and another request can be sent. */
  onFree: (connection: DownloadConnection) => void
  onClose: (connection: DownloadConnection) => void
}

interface ExpectedHead {
  received: Buffer
  done: Deferred<ResponseHead>
}

/**
 * A connection for one response at a time, whose body is received straight into the buffers of its reader. Node's HTTP client
 * allocates 64 KiB for each chunk: copying that and collecting the garbage takes three times as long as receiving it.
 */
export class DownloadConnection {
  readonly #socket: Socket
  readonly #onFree: () => void
  readonly #onClose: () => void
  /** For response heads, and for bytes that arrive before a read. */
  readonly #scratch = Buffer.allocUnsafeSlow(scratchBytes)
  #head: ExpectedHead | null = null
  /** Of the body: bytes that have not arrived. */
  #left = 0
  /** Bytes that have arrived, but were not read. */
  #unread: Buffer = nothing
  #reading: { target: Buffer; filled: number; done: Deferred<number> } | null = null
  #mayBeReused = false
  #failure: Error | null = null
  /** Whether an earlier response came over this connection. */
  isReused = false

  constructor({ origin, idleMs, onFree, onClose }: DownloadConnectionOptions) {
    this.#onFree = () => onFree(this)
    this.#onClose = () => onClose(this)
    const host = origin.hostname.replace(/^\[|\]$/g, '')
    const options = {
      host,
      port: Number(origin.port) || (origin.protocol === 'https:' ? 443 : 80),
      timeout: idleMs,
      onread: {
        buffer: () => this.#nextBuffer(),
        callback: (bytes: number, buffer: Uint8Array) => this.#receive(buffer as Buffer, bytes),
      },
    }
    const servername = net.isIP(host) ? {} : { servername: host }
    const socket = origin.protocol === 'https:' ? tls.connect({ ...options, ...servername }) : net.connect(options)
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('timeout', () => this.close(new Error('The bucket was silent for too long.')))
    socket.on('error', (error) => this.close(error))
    socket.on('end', () => this.close())
    socket.on('close', () => this.close())
  }

  /** Sends a request without a body. Its response must be read to its end before the next one. */
  async send(request: string): Promise<ResponseHead> {
    if (this.#failure) throw this.#failure
    const done = deferred<ResponseHead>()
    this.#head = { received: nothing, done }
    this.#socket.ref()
    this.#socket.write(request, 'latin1')
    this.#socket.resume()
    return done.promise
  }

  /** Fills `target`; fewer bytes are the end of the body. One call at a time. */
  async read(target: Buffer): Promise<number> {
    const filled = this.#take(target)
    if (filled === target.length || this.#left === 0) {
      this.#endIfRead()
      return filled
    }
    if (this.#failure) throw this.#failure
    const done = deferred<number>()
    this.#reading = { target, filled, done }
    this.#socket.resume()
    return done.promise
  }

  /** Bytes of the body that have arrived and are unread. */
  get arrived(): Buffer {
    return this.#unread
  }

  /** No buffer is written to from now on. Closing twice is not an error. */
  close(reason: Error = new Error('The bucket has closed the connection.')): void {
    if (this.#failure) return
    this.#failure = reason
    this.#socket.destroy()
    this.#head?.done.reject(reason)
    this.#reading?.done.reject(reason)
    this.#head = null
    this.#reading = null
    this.#onClose()
  }

  #nextBuffer(): Buffer {
    if (!this.#reading || this.#head) return this.#scratch
    const { target, filled } = this.#reading
    return target.subarray(filled, filled + this.#left)
  }

  /** False to receive nothing until the next read. */
  #receive(buffer: Buffer, length: number): boolean {
    if (this.#head) return this.#receiveHead(this.#head, buffer.subarray(0, length))
    if (length > this.#left) {
      this.close(surplus())
      return false
    }
    this.#left -= length
    const isDirect = buffer.buffer !== this.#scratch.buffer
    if (isDirect) this.#reading!.filled += length
    else this.#unread = buffer.subarray(0, length)
    return this.#advance()
  }

  #receiveHead(head: ExpectedHead, bytes: Buffer): boolean {
    head.received = Buffer.concat([head.received, bytes])
    try {
      const parsed = parseResponseHead(head.received)
      if (!parsed) return true
      const rest = head.received.subarray(parsed.bytes)
      const left = (parsed.length ?? rest.length) - rest.length
      if (left < 0) throw surplus()
      this.#head = null
      this.#unread = rest
      this.#left = left
      this.#mayBeReused = parsed.keepsAlive
      this.isReused = true
      head.done.resolve(parsed)
    } catch (error) {
      this.close(error as Error)
    }
    return false
  }

  /** Serves the read under way from what has arrived. */
  #advance(): boolean {
    const reading = this.#reading
    if (!reading) return false
    reading.filled += this.#take(reading.target.subarray(reading.filled))
    if (reading.filled < reading.target.length && this.#left > 0) return true
    this.#reading = null
    reading.done.resolve(reading.filled)
    return this.#endIfRead()
  }

  #take(target: Buffer): number {
    const bytes = this.#unread.copy(target)
    this.#unread = this.#unread.subarray(bytes)
    return bytes
  }

  /** True if the response was read to its end, and the connection is free: its end has to be noticed. */
  #endIfRead(): boolean {
    if (this.#failure || this.#left > 0 || this.#unread.length > 0) return false
    if (!this.#mayBeReused) {
      this.close()
      return false
    }
    this.#mayBeReused = false
    this.#socket.unref().resume()
    this.#onFree()
    return true
  }
}

function surplus(): Error {
  return new Error('The bucket has sent more than it announced.')
}

const nothing: Buffer = Buffer.alloc(0)
const scratchBytes = 16 * 1024
