import { signal } from '@preact/signals'
import type { JobEvent, JobRecord } from '../../protocol/jobs.js'
import { endSession } from '../account.js'
import { Refusal } from '../api.js'
import { say } from '../words/say.js'
import { readEventStream } from './event-reader.js'
import {
  applyEvents,
  checkRates,
  expectsEvents,
  forgetJobs,
  noteTotalRate,
  replaceJobs,
  unfinishedJobs,
} from './job-store.js'
import { shareBetweenTabs } from './shared-tabs.js'

/** Whether the page shows the current state. */
export type Connection = 'connecting' | 'live' | 'offline'

export const connection = signal<Connection>('connecting')

/** Incremented when the connection is restored: data loaded before may be outdated. */
export const healed = signal(0)

/** Messages from the tab that reads the stream to the others. */
type News =
  | { type: 'jobs'; jobs: JobRecord[]; after: string | undefined; connection: Connection }
  | { type: 'events'; events: JobEvent[] }
  | { type: 'connection'; connection: Connection }

/**
 * Follows the live events until the returned function is called. All tabs of an account share one stream; when the tab
 * that reads it closes, another tab continues after the last event.
 */
export function followJobs({ account, isAdmin }: { account: string; isAdmin: boolean }): () => void {
  const stop = new AbortController()
  /** The id of the last event in this tab. */
  let after: string | undefined
  const take = (events: JobEvent[]) => {
    after = events.at(-1)?.id
    applyEvents(events)
    // Events were missed: data loaded since may be outdated.
    if (events.some(({ event }) => event === 'resync')) healed.value = healed.peek() + 1
  }

  shareBetweenTabs<News>({
    name: `filejobs-jobs ${account}`,
    signal: stop.signal,
    greet: () => ({ type: 'jobs', jobs: unfinishedJobs(), after, connection: connection.peek() }),
    follow(news) {
      if (news.type === 'events') return take(news.events)
      if (news.type === 'jobs') {
        after = news.after
        replaceJobs(news.jobs)
      }
      setConnection(news.connection)
    },
    lead: (signal, tell) =>
      readForAll(isAdmin, signal, {
        after: () => after,
        onJobs(jobs) {
          replaceJobs(jobs)
          tell({ type: 'jobs', jobs, after, connection: 'live' })
        },
        onEvents(events) {
          take(events)
          tell({ type: 'events', events })
        },
        onConnection(state) {
          setConnection(state)
          tell({ type: 'connection', connection: state })
        },
      }),
  })
  const clock = setInterval(() => {
    checkRates()
    noteTotalRate()
  }, 1000)
  return () => {
    stop.abort(new DOMException('Not signed in any more.', 'AbortError'))
    clearInterval(clock)
    forgetJobs()
    connection.value = 'connecting'
  }
}

interface Listener {
  /** The event to resume after; undefined to start from the beginning. */
  after(): string | undefined
  /** All current jobs. */
  onJobs(jobs: JobRecord[]): void
  onEvents(events: JobEvent[]): void
  onConnection(state: Connection): void
}

/** Reconnects until aborted, with growing delays while the server does not answer. */
async function readForAll(all: boolean, stop: AbortSignal, listener: Listener): Promise<void> {
  let pauseMs = leastPauseMs
  while (!stop.aborted) {
    const after = listener.after()
    try {
      await readEventStream({
        all,
        after,
        signal: stop,
        expectsEvents,
        onOpen() {
          if (after === undefined) listener.onJobs([])
          pauseMs = leastPauseMs
          listener.onConnection('live')
        },
        onEvents: listener.onEvents,
      })
    } catch (error) {
      if (stop.aborted) return
      if (error instanceof Refusal && error.status === 401) {
        endSession(say('signIn.sessionEnded'))
        return
      }
      if (!(error instanceof Refusal)) listener.onConnection('offline')
    }
    await pause(pauseMs, stop)
    pauseMs = Math.min(pauseMs * 2, mostPauseMs)
  }
}

function setConnection(state: Connection): void {
  if (connection.peek() === 'offline' && state === 'live') healed.value = healed.peek() + 1
  connection.value = state
}

/** Shorter when the browser reports that it is online again. */
function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      removeEventListener('online', end)
      stop.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    addEventListener('online', end)
    stop.addEventListener('abort', end)
  })
}

const leastPauseMs = 250
const mostPauseMs = 3000
