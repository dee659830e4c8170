import { unlessAborted } from '../concurrency/abortable.js'
import type { OpenFile } from '../stores/files.js'
import { type BufferPool, BufferSize } from './buffers.js'
import type { Flow } from './flow.js'
import { clientLeft } from './receiving.js'

export interface ByteRange {
  start: number
  /** Exclusive. */
  end: number
}

/** A `Writable`, or what transforms bytes on their way to one. Calls back once the bytes may be reused. */
export interface ByteSink {
  write(bytes: Buffer, callback: (error?: Error | null) => void): unknown
}

/** The file has become shorter since it was opened. */
export class Truncated extends Error {
  override name = 'Truncated'
}

/**
 * Sends a range of a file to `sink`, reading the next chunk while the previous one is being written, and resolves when
 * all chunks were passed; `sink` is not ended. Rejects with the reason of the flow's signal, with `Truncated`, and with
 * the sink's error when its reader has disconnected; the flow's signal closes the file. `onSent` is called for every chunk that the sink has accepted.
 */
export async function send(
  file: OpenFile,
  range: ByteRange,
  sink: ByteSink,
  { flow, pool, onSent }: { flow: Flow; pool: BufferPool; onSent: () => void },
): Promise<void> {
  const size = new BufferSize(flow.clock)
  const read = (position: number): FilledBuffer => {
    const buffer = pool.take(size.bytes)
    const length = Math.max(1, Math.floor(Math.min(buffer.length, flow.step, range.end - position)))
    const filled = file.read(buffer.subarray(0, length), position)
    // Prevents an unhandled rejection: it is awaited below, unless the transfer ends before.
    filled.catch(() => {})
    return { buffer, filled }
  }
  // So that a read which waits for the store does not delay the end.
  const closeFile = () => void file.close().catch(() => {})
  flow.signal.addEventListener('abort', closeFile)
  let position = range.start
  let current = position < range.end ? read(position) : null
  let next: FilledBuffer | null = null
  try {
    while (current) {
      const length = await unlessAborted(current.filled, flow.signal)
      if (length === 0) throw new Truncated('The file became shorter while it was being sent.')
      position += length
      if (position < range.end) next = read(position)
      // A chunk that was read before a limit was set may be larger than a step.
      for (let sent = 0; sent < length; ) {
        const step = Math.ceil(Math.min(flow.step, length - sent))
        await flow.pass(step)
        await unlessAborted(write(sink, current.buffer.subarray(sent, sent + step)), flow.signal)
        flow.touch()
        onSent()
        sent += step
      }
      size.adapt()
      pool.give(current.buffer)
      current = next
      next = null
    }
  } finally {
    flow.signal.removeEventListener('abort', closeFile)
    for (const left of [current, next]) {
      if (!left) continue
      // The file is closed after this: no read may be running. The sink may still hold the bytes.
      await left.filled.catch(() => {})
      pool.drop(left.buffer)
    }
  }
}

interface FilledBuffer {
  buffer: Buffer
  /** The number of bytes read into the buffer. */
  filled: Promise<number>
}

/**
 * Resolves when the sink has accepted the bytes, so that the buffer is free again. Any error of a sink means that its
 * reader has disconnected.
 */
function write(sink: ByteSink, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(bytes, (error) => (error ? reject(clientLeft()) : resolve()))
  })
}
