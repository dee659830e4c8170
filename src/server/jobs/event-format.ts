import type { JobEventName } from '../../protocol/jobs.js'

/** `sse`: server-sent events (HTML standard, section 9.2); `ndjson`: a JSON value a line. */
export type EventFormat = 'sse' | 'ndjson'

/** One event on the wire; `job` is a record as JSON, or `null`. */
export function formatEvent(format: EventFormat, id: string, event: JobEventName, job: string): string {
  const data = `{"id":"${id}","event":"${event}","job":${job}}`
  return format === 'ndjson' ? `${data}\n` : `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`
}

/**
 * A sign of life that tells the place in the stream too, so that one who hears nothing for long can still go on from
 * there. A server-sent event without data is not dispatched, but its id counts.
 */
export function formatHeartbeat(format: EventFormat, id: string): string {
  return format === 'ndjson' ? formatEvent(format, id, 'heartbeat', 'null') : `: heartbeat\nid: ${id}\n\n`
}
