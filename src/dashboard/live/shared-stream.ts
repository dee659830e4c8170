import { signal } from '@preact/signals'
import type { JobEvent, JobRecord } from '../../protocol/jobs.js'
import { endSession } from '../account.js'
import { Refusal } from '../api.js'
import { readEvents } from './event-reader.js'
import { applyEvents, forgetJobs, noteTotalRate, replaceJobs, unfinishedJobs } from './job-store.js'

/** Whether what the page shows is true now. */
export type Connection = 'connecting' | 'live' | 'offline'

export const connection = signal<Connection>('connecting')

/** Counts up whenever the way to the server is whole again: what was loaded before may be old. */
export const healed = signal(0)

/** What the tabs of one browser tell each other: the one that reads the stream tells all others. */
type Message =
  | { type: 'hello' }
  | { type: 'jobs'; jobs: JobRecord[]; connection: Connection }
  | { type: 'events'; events: JobEvent[] }
  | { type: 'connection'; connection: Connection }

/**
 * Follows the live events until the returned function is called. All tabs of an account share one stream: the one that
 * holds the lock reads it and passes on what it hears; when it closes, another takes over.
 */
export function followJobs({ account, isAdmin }: { account: string; isAdmin: boolean }): () => void {
  const stop = new AbortController()
  const channel = new BroadcastChannel(`filejobs-jobs ${account}`)
  let reads = false
  const tell = (message: Message) => channel.postMessage(message)

  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.type === 'hello') {
      if (reads) tell({ type: 'jobs', jobs: unfinishedJobs(), connection: connection.peek() })
    } else if (reads) return
    else if (data.type === 'events') applyEvents(data.events)
    else {
      if (data.type === 'jobs') replaceJobs(data.jobs)
      setConnection(data.connection)
    }
  }

  const read = async () => {
    reads = true
    await readForAll(isAdmin, stop.signal, tell).finally(() => {
      reads = false
    })
  }
  // Without TLS, other hosts' pages have no locks: each tab then reads for itself.
  if (navigator.locks) {
    navigator.locks.request(`filejobs-jobs ${account}`, { signal: stop.signal }, read).catch(ignoreAbort)
  } else read().catch(ignoreAbort)
  tell({ type: 'hello' })
  const clock = setInterval(noteTotalRate, 1000)
  return () => {
    stop.abort(new DOMException('Not signed in any more.', 'AbortError'))
    channel.close()
    clearInterval(clock)
    forgetJobs()
    connection.value = 'connecting'
  }
}

/** Reads on and on, after growing pauses where the server does not answer. */
async function readForAll(all: boolean, stop: AbortSignal, tell: (message: Message) => void): Promise<void> {
  let after: string | undefined
  let pauseMs = leastPauseMs
  const become = (state: Connection) => {
    setConnection(state)
    tell({ type: 'connection', connection: state })
  }
  while (!stop.aborted) {
    try {
      await readEvents({
        all,
        after,
        signal: stop,
        onOpen() {
          if (after === undefined) {
            replaceJobs([])
            tell({ type: 'jobs', jobs: [], connection: 'live' })
          }
          pauseMs = leastPauseMs
          become('live')
        },
        onEvents(events) {
          after = events.at(-1)?.id
          applyEvents(events)
          tell({ type: 'events', events })
        },
      })
    } catch (error) {
      if (stop.aborted) return
      if (error instanceof Refusal && error.status === 401) {
        endSession('Your session has ended: it was revoked, or it expired.')
        return
      }
      if (!(error instanceof Refusal)) become('offline')
    }
    await pause(pauseMs, stop)
    pauseMs = Math.min(pauseMs * 2, mostPauseMs)
  }
}

function setConnection(state: Connection): void {
  if (connection.peek() === 'offline' && state === 'live') healed.value = healed.peek() + 1
  connection.value = state
}

/** Shorter where the system says that it is back on the network. */
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

function ignoreAbort(error: unknown): void {
  if (!(error instanceof DOMException && error.name === 'AbortError')) throw error
}

const leastPauseMs = 250
const mostPauseMs = 3000
