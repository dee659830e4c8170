import { listJobs } from '../../client/listing.js'
import type { JobEvent, JobRecord } from '../../protocol/jobs.js'
import { Exit } from '../exit-codes.js'
import { openHttpClient } from '../http-client.js'
import { signalExits } from '../interrupt.js'
import { formatWhat } from '../job-table.js'
import type { Session } from '../session.js'
import { type BoardFilter, JobBoard } from './board.js'
import { boardLines } from './board-lines.js'
import { watchEvents } from './event-source.js'
import { openScreen } from './screen.js'

export interface WatchOptions extends BoardFilter {
  all?: boolean | undefined
  /** How many ended jobs to show at the start. */
  limit: number
}

/**
 * Shows jobs live: a table on a terminal, elsewhere a line for each change of state, and each event with `--json`. Ends
 * on `q`, and throws an Exit on Ctrl-C or SIGTERM.
 */
export async function watchJobs(session: Session, options: WatchOptions): Promise<void> {
  const { context, output } = session
  const http = await openHttpClient(session.server, await session.token(), session.userAgent)
  const leave = new AbortController()
  const unlisten = context.interrupt.listen((signal) => leave.abort(new Exit(signalExits[signal])))
  const view = output.json
    ? showEvents(session, options)
    : context.stdout.isTTY && context.env.TERM !== 'dumb'
      ? await showTable(session, options, leave)
      : showLines(session, options)
  try {
    const source = { http, all: options.all ?? false, signal: leave.signal, onBroken: view.onBroken }
    for await (const event of watchEvents(source)) view.onEvent(event)
    if (leave.signal.reason instanceof Exit) throw leave.signal.reason
  } finally {
    view.close()
    unlisten()
    http.close()
  }
}

interface View {
  onEvent(event: JobEvent): void
  onBroken(): void
  close(): void
}

/** One event per line, for scripts. */
function showEvents({ output, server }: Session, options: WatchOptions): View {
  const board = new JobBoard(options)
  return {
    onEvent(event) {
      if (event.event !== 'heartbeat' && (!event.job || board.shows(event.job))) output.result(event, '')
    },
    onBroken: () => output.note(trouble(server)),
    close: () => {},
  }
}

/** One line per change of state, without a terminal. */
function showLines({ output, server }: Session, options: WatchOptions): View {
  const board = new JobBoard(options)
  return {
    onEvent(event) {
      const { job } = event
      const isNews = job !== null && board.find(job.id)?.state !== job.state
      board.apply(event)
      if (job && isNews && board.shows(job))
        output.result(job, `${job.id}  ${job.kind}  ${job.state}  ${formatWhat(job)}`)
    },
    onBroken: () => output.note(trouble(server)),
    close: () => {},
  }
}

async function showTable(session: Session, options: WatchOptions, leave: AbortController): Promise<View> {
  const { context, server } = session
  const api = await session.api()
  const board = new JobBoard(options)
  let isBroken = false
  let isKnown = false
  let frame: NodeJS.Timeout | undefined
  const screen = openScreen(context, {
    onKey(key) {
      if (key === 'q' || key === 'Q') leave.abort()
      // In raw mode the terminal sends Ctrl-C as a key.
      if (key === '\u0003') leave.abort(new Exit(signalExits.SIGINT))
    },
    onResize: () => drawSoon(),
  })
  const draw = () => {
    frame = undefined
    const { columns, lines } = screen
    const words = isBroken ? trouble(server) : undefined
    screen.draw(boardLines({ rows: board.rows(), withAccounts: options.all ?? false, trouble: words, columns, lines }))
  }
  const drawSoon = () => {
    frame ??= setTimeout(draw, frameMs)
  }
  /** Events cover unfinished jobs; those that ended before are requested. */
  const list = async () => {
    const jobs: JobRecord[] = []
    for await (const job of listJobs(api, options, options.limit)) jobs.push(job)
    board.addListed(jobs)
    drawSoon()
  }
  return {
    onEvent(event) {
      isBroken = false
      board.apply(event)
      // A failed list is harmless: the connection is about to break, and that is handled.
      if (!isKnown || event.event === 'resync') list().catch(() => {})
      isKnown = true
      drawSoon()
    },
    onBroken() {
      isBroken = true
      drawSoon()
    },
    close() {
      clearTimeout(frame)
      screen.close()
    },
  }
}

const frameMs = 100

function trouble(server: string): string {
  return `No connection to ${server}: trying again …`
}
