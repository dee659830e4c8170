import type { Readable, Writable } from 'node:stream'
import { Problem } from '../../protocol/problems.js'
import type { Flow } from './flow.js'
import { type Appendable, PartialWriter, type ReceivingMemory } from './partial-writer.js'

export interface ReceiveOptions {
  flow: Flow
  memory: ReceivingMemory
  /** Called when the transfer ends early; by default the received bytes are discarded, without a write. */
  isWorthKeeping?: () => boolean
}

/**
 * Writes a body to a partial and resolves when every byte is written. The body is never destroyed here, because the
 * response still needs its connection. Rejects with the reason of the flow's signal, or with `client-left` when the
 * client disconnected; the received bytes are in the partial then, if `isWorthKeeping` returns true.
 */
export async function receive(
  body: Readable,
  partial: Appendable,
  { flow, memory, isWorthKeeping = () => false }: ReceiveOptions,
): Promise<void> {
  await feed(body, new PartialWriter(partial, flow, memory, isWorthKeeping), flow.signal)
}

/** Like `pipeline(body, sink, { signal })`, but never destroys the body. */
export function feed(body: Readable, sink: Writable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: unknown = null
    const onData = (chunk: Buffer) => {
      if (!sink.write(chunk)) body.pause()
    }
    const onDrain = () => body.resume()
    const onEnd = () => sink.end()
    const fail = (reason: unknown) => {
      failure ??= reason
      body.off('data', onData)
      sink.destroy(failure instanceof Error ? failure : new Error(String(failure)))
    }
    const onAbort = () => fail(signal.reason)
    const onLeft = () => {
      if (!body.readableEnded) fail(clientLeft())
    }
    body.on('data', onData).on('end', onEnd).on('close', onLeft).on('error', onLeft)
    sink.on('drain', onDrain)
    sink.on('error', fail)
    sink.on('close', () => {
      body.off('data', onData).off('end', onEnd).off('close', onLeft).off('error', onLeft)
      // A later reset of the connection must not end the process by an error without a listener.
      body.on('error', () => {})
      signal.removeEventListener('abort', onAbort)
      if (failure) reject(failure)
      else resolve()
    })
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    else if (body.destroyed) fail(clientLeft())
  })
}

export function clientLeft(): Problem {
  return new Problem('client-left', 'The client left before the transfer was complete.')
}
