import type { ServerResponse } from 'node:http'
import { hangUpSignal } from '../../http/connection.js'
import type { FeedReader } from '../../jobs/feed.js'

/**
 * Sends the events of `listen` until the client disconnects, the session is revoked or the feed ends; resolves then. A
 * client that does not read is sent nothing more until it does: the feed, not this connection, keeps the events.
 */
export async function sendEvents(
  outgoing: ServerResponse,
  headers: Record<string, string>,
  revoked: AbortSignal,
  listen: (onNews: () => void, onEnd: () => void) => FeedReader,
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
    // A client that does not read would not read the end either.
    if (outgoing.writableNeedDrain) outgoing.destroy()
    else outgoing.end()
  }
  let silentBeats = 0
  const beat = setInterval(() => {
    silentBeats = outgoing.writableNeedDrain ? silentBeats + 1 : 0
    // A client that reads nothing for this long is dead, or wastes the stream. A live one can reconnect at its
    // position.
    if (silentBeats > maxSilentBeats) outgoing.destroy()
    else if (!outgoing.writableNeedDrain && !outgoing.writableEnded) outgoing.write(reader.heartbeat())
  }, heartbeatMs)
  beat.unref()
  const over = AbortSignal.any([revoked, hangUpSignal(outgoing)])
  try {
    await new Promise<void>((resolve) => {
      outgoing.on('close', resolve).on('drain', send)
      outgoing.writeHead(200, headers)
      outgoing.flushHeaders()
      send()
      // So that a client that is disconnected before the first event can resume here.
      if (!outgoing.writableNeedDrain) outgoing.write(reader.heartbeat())
      if (outgoing.destroyed) resolve()
      if (over.aborted) end()
      else over.addEventListener('abort', end)
    })
  } finally {
    clearInterval(beat)
    over.removeEventListener('abort', end)
    reader.close()
  }
}

const heartbeatMs = 15_000
const maxSilentBeats = 4
