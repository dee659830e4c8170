import type { ServerResponse } from 'node:http'
import type { Reader } from '../jobs/feed.js'

/**
 * Sends what `listen` gives to read until the client leaves, the session is revoked or the feed ends; resolves then. One
 * that does not take what it is sent is given nothing more until it does: the feed, not this connection, remembers.
 */
export async function sendEvents(
  outgoing: ServerResponse,
  headers: Record<string, string>,
  revoked: AbortSignal,
  listen: (onNews: () => void, onEnd: () => void) => Reader,
): Promise<void> {
  const reader = listen(
    () => send(),
    () => end(),
  )
  const send = () => {
    while (!outgoing.writableNeedDrain && !outgoing.writableEnded && !outgoing.destroyed) {
      const bytes = reader.read()
      if (!bytes) return
      outgoing.write(bytes)
    }
  }
  const end = () => {
    // Whoever does not read would not read the end either.
    if (outgoing.writableNeedDrain) outgoing.destroy()
    else outgoing.end()
  }
  const beat = setInterval(() => {
    if (!outgoing.writableNeedDrain && !outgoing.writableEnded) outgoing.write(reader.heartbeat())
  }, heartbeatMs)
  beat.unref()
  try {
    await new Promise<void>((resolve) => {
      outgoing.on('close', resolve).on('drain', send)
      outgoing.writeHead(200, headers)
      outgoing.flushHeaders()
      send()
      // So that one who is cut off before anything happens can come back to this place.
      if (!outgoing.writableNeedDrain) outgoing.write(reader.heartbeat())
      if (outgoing.destroyed) resolve()
      if (revoked.aborted) end()
      else revoked.addEventListener('abort', end)
    })
  } finally {
    clearInterval(beat)
    revoked.removeEventListener('abort', end)
    reader.close()
  }
}

const heartbeatMs = 15_000
