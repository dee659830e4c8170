import { randomUUID } from 'node:crypto'
import type { Receipt } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { jobPath } from '../../protocol/routes.js'
import { Exit, wordingOf } from '../exit-codes.js'
import { type EndingSignal, signalExits } from '../interrupt.js'
import type { Session } from '../session.js'

/** A job that this program runs, as the work on it sees it. */
export interface OwnJob {
  /** Chosen here, so that the job can be stopped while its answer is outstanding. The server may name another one. */
  id: string
  /** Whether the server has begun it. While it waits for its turn there is nothing to stop. */
  begun: boolean
  /** Whether a stop of ours was answered by a receipt. */
  stopped: boolean
  /** Whether the same command can go on with it later. */
  resumable: boolean
  /** Whether the server keeps what it has of it, although nobody can go on with that: it is to be stopped, whatever the end. */
  leavesPartial: boolean
  /** Aborts when the work is to be left: everything that it has open is to be closed. */
  readonly signal: AbortSignal
  /** To be awaited before the work's result is made visible here: throws when a stop, still under way, succeeds. */
  checkpoint(): Promise<void>
}

export interface Finished<T> {
  readonly result: T
  /** The signal that came too late to stop this job; what was to follow is not to be begun. */
  readonly interruptedBy: EndingSignal | undefined
}

/**
 * Runs one job so that Ctrl-C or SIGTERM stops it, or with `keep` leaves it to be gone on with; SIGHUP stops only what would
 * leave a partial. The stop goes out before the connection is cut: the other order would be recorded as a client that left. Throws an Exit when a signal ended it; when the signal came too late, the work's
 * own end counts.
 */
export async function runOwnJob<T>(
  session: Session,
  work: (job: OwnJob) => Promise<T>,
  { keep = false }: { keep?: boolean } = {},
): Promise<Finished<T>> {
  const leave = new AbortController()
  let interruptedBy: EndingSignal | undefined
  let ending: Promise<Ended | undefined> | undefined
  const job: OwnJob = {
    id: randomUUID(),
    begun: false,
    stopped: false,
    resumable: false,
    leavesPartial: false,
    signal: leave.signal,
    async checkpoint() {
      if (await ending) throw leave.signal.reason
    },
  }
  const receive = (signal: EndingSignal) => {
    interruptedBy = signal
    ending = (keep ? keepJob(session, job) : endJob(session, job)).then((ended) => {
      if (ended) leave.abort(new Exit(signalExits[signal]))
      return ended
    })
  }
  const unlisten = session.context.interrupt.listen(receive, () => job.leavesPartial)
  try {
    const result = await work(job)
    await ending
    return { result, interruptedBy }
  } catch (error) {
    // The stopped transfer fails as well, and it may do so before the receipt is here.
    const ended = await ending
    if (!ended) throw error
    ended.tell()
    throw leave.signal.reason
  } finally {
    unlisten()
  }
}

/** What to do after a transfer broke that the server keeps. */
export const howToGoOn = 'The same command, run again, goes on where this ended.'

interface Ended {
  /** Says how it ended, once bars and spinners are gone. */
  tell(): void
}

/** Leaves the job as it is, and the server keeps what it has; ends it where nobody could go on with that. */
async function keepJob(session: Session, job: OwnJob): Promise<Ended | undefined> {
  const { output } = session
  if (job.resumable) return { tell: () => output.note(`Left, and kept. ${howToGoOn}`) }
  const ended = await endJob(session, job)
  return (
    ended && {
      tell() {
        output.note('This transfer cannot be kept.')
        ended.tell()
      },
    }
  )
}

/** Ends the job on the server; undefined when it is too late for that. */
async function endJob({ api, output }: Session, job: OwnJob): Promise<Ended | undefined> {
  if (!job.begun) {
    const words = job.resumable ? howToGoOn : 'Nothing was under way on the server.'
    return { tell: () => output.note(`Left. ${words}`) }
  }
  try {
    const receipt = await (await api()).send<Receipt>('POST', jobPath(job.id, 'stop'), { timeoutMs: 30_000 })
    job.stopped = true
    return { tell: () => output.result(receipt, receipt.message) }
  } catch (error) {
    if (error instanceof Problem && tooLate.includes(error.code)) return undefined
    if (error instanceof Problem && error.code === 'job-not-found') {
      return { tell: () => output.note('Left before the server began.') }
    }
    const then = job.resumable ? howToGoOn : 'The server ends the job by itself.'
    const words = `Left without a receipt: ${wordingOf(error)}\n${then}`
    return { tell: () => output.note(words) }
  }
}

/** Then the answer to the transfer itself says what became of it. */
const tooLate: readonly string[] = ['already-published', 'not-running']
