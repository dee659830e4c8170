import { IncomingMessage } from 'node:http'

/**
 * A request that counts its body while it is queued behind another one, and that stops the parser of a closed
 * connection.
 */
export class PipelinedRequest extends IncomingMessage {
  /** Called with the length of each chunk of the body; set while the request is queued. */
  onChunk: ((bytes: number) => void) | null = null
  readonly #isTooLate = this.socket.destroyed

  /**
   * True while the request is queued, even with a full buffer: otherwise Node would stop reading from the connection.
   */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    const hasRoom = super.push(chunk, encoding)
    if (!this.onChunk) return hasRoom
    if (chunk instanceof Uint8Array) this.onChunk(chunk.length)
    return true
  }

  /**
   * Also true if the connection was closed before: Node's parser stops at an upgrade. Otherwise it would emit a request
   * for everything that it has read; 64 KiB hold thousands, which takes 100 ms.
   */
  get upgrade(): boolean {
    return this.method === 'CONNECT' || this.#isTooLate
  }

  /** Node stores the requested upgrade here. No protocol is supported. */
  set upgrade(_asked: boolean) {}
}
