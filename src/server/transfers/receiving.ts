import type { Readable, Writable } from 'node:stream'
import { Problem } from '../../protocol/problems.js'
import type { Partial } from '../stores/files.js'
import type { Flow } from './flow.js'
import { PartialWriter, type ReceivingMemory } from './partial-writer.js'

export interface Reception {
  flow: Flow
  memory: ReceivingMemory
  /** Asked when the transfer ends early; by default what came is removed anyway, and not worth a write. */
  isWorthKeeping?: () => boolean
}

/**
 * Moves a body into a partial and resolves when every byte of it is written. The body is left alone when the transfer
 * ends early: an answer still has to go out on its connection, so it is never destroyed from here. Rejects with the
 * reason of the flow's signal, with `client-left` when the sender went away; what was accepted is in the partial then, where
 * `isWorthKeeping` says so.
 */
export async function receive(
  body: Readable,
  partial: Partial,
  { flow, memory, isWorthKeeping = () => false }: Reception,
): Promise<void> {
  await feed(body, new PartialWriter(partial, flow, memory, isWorthKeeping), flow.signal)
}

/** As `pipeline(body, sink, { signal })`, but that the body survives whatever becomes of the sink. */
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
      // Whoever reset the connection later must not bring the server down by an error that nobody listens to.
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
