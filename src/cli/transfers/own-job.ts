import { randomUUID } from 'node:crypto'
import type { Receipt } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, jobPath, partOfHeader } from '../../protocol/routes.js'
import { Exit, formatFailure } from '../exit-codes.js'
import { type EndingSignal, signalExits } from '../interrupt.js'
import type { Session } from '../session.js'

/** A job of this program, as seen by the work on it. */
export interface OwnJob {
  /** Set by the client, so that it can stop the job before the response arrives. The server may assign another one. */
  id: string
  /** The job of many files that the transfer is a stream of; undefined for a job of its own. */
  readonly partOf?: string
  /** Whether the server has started it. While it waits for a slot there is nothing to stop. */
  begun: boolean
  /** Whether the server has confirmed our stop. */
  stopped: boolean
  /** Whether the same command can resume it later. */
  resumable: boolean
  /** Whether the server keeps received bytes although the job cannot be resumed: such a job is always stopped. */
  leavesPartial: boolean
  /** Aborted when the work must end and close everything that it has open. */
  readonly signal: AbortSignal
  /** Await this before making the result visible locally: throws if a stop in progress succeeds. */
  checkpoint(): Promise<void>
}

/** The headers of a request that starts the job, or is a stream of one of many files. */
export function streamHeaders({ id, partOf }: OwnJob): Record<string, string> {
  return partOf === undefined ? { [jobHeader]: id } : { [partOfHeader]: partOf }
}

export interface Finished<T> {
  readonly result: T
  /** The signal that arrived too late to stop this job; no further work is started after it. */
  readonly interruptedBy: EndingSignal | undefined
}

/**
 * Runs one job so that Ctrl-C or SIGTERM stops it or, with `keep`, leaves it resumable; SIGHUP stops it only if a
 * partial would remain. The stop is sent before the connection is closed: in the other order, the server would record a
 * disconnected client. Throws an Exit if a signal ended the job; if the signal was too late, the work's own result
 * counts.
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
    // The stopped transfer fails as well, possibly before the receipt arrives.
    const ended = await ending
    if (!ended) throw error
    ended.tell()
    throw leave.signal.reason
  } finally {
    unlisten()
  }
}

/** Advice after a transfer broke whose bytes the server keeps. */
export const howToGoOn = 'Run the same command again to resume.'

interface Ended {
  /** Reports the outcome, once bars and spinners are removed. */
  tell(): void
}

/** Leaves the job, whose bytes the server keeps, or stops it if it cannot be resumed. */
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

/** Stops the job on the server; undefined if it is too late. */
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
    const words = `Left without a receipt: ${formatFailure(error)}\n${then}`
    return { tell: () => output.note(words) }
  }
}

/** Then the response to the transfer itself has the outcome. */
const tooLate: readonly string[] = ['already-published', 'not-running']
