import type { Writable } from 'node:stream'
import type { OpenFile } from '../stores/files.js'
import { unlessAborted } from './abortable.js'
import { type BufferPool, BufferSize } from './buffers.js'
import type { Flow } from './flow.js'
import { clientLeft } from './receiving.js'

export interface ByteRange {
  start: number
  /** Exclusive. */
  end: number
}

/** The file has become shorter than it was when it was opened. */
export class Truncated extends Error {
  override name = 'Truncated'
}

/**
 * Moves a range of a file into `sink`, reading the next piece while the last one is being written, and resolves when
 * all was handed over; `sink` is not ended. Rejects with the reason of the flow's signal, with `Truncated`, and with
 * the sink's error where its reader went away. `onSent` hears of every piece that the sink has taken.
 */
export async function send(
  file: OpenFile,
  range: ByteRange,
  sink: Writable,
  { flow, pool, onSent }: { flow: Flow; pool: BufferPool; onSent: () => void },
): Promise<void> {
  const size = new BufferSize()
  const read = (position: number): Piece => {
    const buffer = pool.take(size.bytes)
    const length = Math.max(1, Math.floor(Math.min(buffer.length, flow.step, range.end - position)))
    const filled = file.read(buffer.subarray(0, length), position)
    // Waited for below, unless the transfer ends before.
    filled.catch(() => {})
    return { buffer, filled }
  }
  let position = range.start
  let piece = position < range.end ? read(position) : null
  let next: Piece | null = null
  try {
    while (piece) {
      const length = await piece.filled
      if (length === 0) throw new Truncated('The file became shorter while it was being sent.')
      position += length
      if (position < range.end) next = read(position)
      // A piece that was read before a limit was set is larger than a step by now.
      for (let sent = 0; sent < length; ) {
        const step = Math.ceil(Math.min(flow.step, length - sent))
        await flow.pass(step)
        await unlessAborted(write(sink, piece.buffer.subarray(sent, sent + step)), flow.signal)
        flow.touch()
        onSent()
        sent += step
      }
      size.adapt()
      pool.give(piece.buffer)
      piece = next
      next = null
    }
  } finally {
    for (const left of [piece, next]) {
      if (!left) continue
      // The file is closed after this: no read may be under way any more. The sink may still hold the bytes.
      await left.filled.catch(() => {})
      pool.drop(left.buffer)
    }
  }
}

interface Piece {
  buffer: Buffer
  /** How many bytes of the buffer were read. */
  filled: Promise<number>
}

/** Resolves when the sink has taken the bytes, so that the buffer is free again. Whatever a sink fails by, its reader has gone. */
function write(sink: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(bytes, (error) => (error ? reject(clientLeft()) : resolve()))
  })
}
