import type { JobEventName } from '../../protocol/jobs.js'

/** `sse`: server-sent events (HTML standard, section 9.2); `ndjson`: one JSON value per line. */
export type EventFormat = 'sse' | 'ndjson'

/** Formats one event; `job` is a record as JSON, or `null`. */
export function formatEvent(format: EventFormat, id: string, event: JobEventName, job: string): string {
  const data = `{"id":"${id}","event":"${event}","job":${job}}`
  return format === 'ndjson' ? `${data}\n` : `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`
}

/**
 * A heartbeat with the current position, so that a listener without events for a long time can still resume from there.
 * A server-sent event without data is not dispatched, but its id counts.
 */
export function formatHeartbeat(format: EventFormat, id: string): string {
  return format === 'ndjson' ? formatEvent(format, id, 'heartbeat', 'null') : `: heartbeat\nid: ${id}\n\n`
}
