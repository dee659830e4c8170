import type { IncomingMessage } from 'node:http'
import { onTestFinished } from 'vitest'
import type { JobEvent, JobRecord } from '../../dist/protocol/jobs.js'
import type { Caller } from './calls.js'
import { eventually, within } from './eventually.js'

/** A stream of `/jobs/events` as NDJSON, read as it comes. */
export interface EventStream {
  readonly response: IncomingMessage
  /** All that came so far, heartbeats left out. */
  readonly events: JobEvent[]
  /** The id of the last line, heartbeats included. */
  readonly lastId: string | undefined
  /** The first event that fits, once it has come. */
  find(what: string, fits: (event: JobEvent & { job: JobRecord }) => boolean): Promise<JobEvent & { job: JobRecord }>
  /** Resolves with what came when the server has ended the stream. */
  ended(limitMs?: number): Promise<JobEvent[]>
  cut(): void
}

/** Opens the stream, and waits for its first line: what happens from then on is heard. */
export async function listenTo(
  caller: Caller,
  { after, query = '' }: { after?: string | undefined; query?: string } = {},
): Promise<EventStream> {
  const request = caller.open(`/jobs/events${query}`, {
    headers: { Accept: 'application/x-ndjson', ...(after === undefined ? {} : { 'Last-Event-ID': after }) },
  })
  onTestFinished(() => void request.destroy())
  const response = await within(
    'the head of the stream',
    new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve).on('error', reject)
      request.end()
    }),
  )
  const events: JobEvent[] = []
  let lastId: string | undefined
  let rest = ''
  response.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const event = JSON.parse(line) as JobEvent
      lastId = event.id
      if (event.event === 'heartbeat') continue
      events.push(event)
    }
  })
  const ended = new Promise<JobEvent[]>((resolve) => {
    response.on('close', () => resolve(events))
    response.on('error', () => resolve(events))
  })
  const stream: EventStream = {
    response,
    events,
    get lastId() {
      return lastId
    },
    find: (what, fits) =>
      eventually(`an event: ${what}`, () =>
        (events as (JobEvent & { job: JobRecord })[]).find((event) => event.job !== null && fits(event)),
      ),
    ended: (limitMs) => within('the end of the stream', ended, limitMs),
    cut: () => request.destroy(),
  }
  await eventually('the first line of the stream', () => lastId !== undefined)
  return stream
}
