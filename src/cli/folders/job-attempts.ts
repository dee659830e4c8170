import { Problem, type ProblemCode } from '../../protocol/problems.js'
import { Exit, Failure } from '../exit-codes.js'
import { isWorthRetrying, type Retries } from '../transfers/retries.js'
import type { TransferTools } from '../transfers/tools.js'
import type { OpenJob } from './open-job.js'

export interface JobAttempts {
  readonly name: string
  readonly tools: TransferTools
  readonly open: OpenJob
  readonly retries: Retries
  readonly signal: AbortSignal
  /** Opens the job and transfers the remaining files. */
  attempt(): Promise<void>
  /** Called before a retry with a new job, because the server has lost the old one. */
  startOver(): void
}

/** Retries the attempt while that may help, with a new job if a restart of the server has ended the old one. */
export async function untilFinished(attempts: JobAttempts): Promise<void> {
  const { name, tools, open, retries, signal } = attempts
  await retries.run(name, tools, signal, async () => {
    try {
      await attempts.attempt()
    } catch (error) {
      signal.throwIfAborted()
      if (!mayBeLost(error)) throw error
      const end = await open.findEnd()
      if (end === 'done') return
      if (end === 'open') throw error
      attempts.startOver()
      throw new Failure('tryAgain', 'The server has lost the job, as after a restart.', { cause: error })
    }
  })
}

/**
 * Runs the streams of a job in parallel, and waits for all of them. When one loses its connection, the others continue,
 * because their files need not be sent again. Any other error aborts all of them. Throws the error.
 */
export async function runStreams(
  signal: AbortSignal,
  streams: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const end = new AbortController()
  const both = AbortSignal.any([signal, end.signal])
  const results = await Promise.allSettled(
    streams.map((stream) =>
      stream(both).catch((error: unknown) => {
        if (!isWorthRetrying(error)) end.abort(error)
        throw error
      }),
    ),
  )
  signal.throwIfAborted()
  const broken = results.find((result) => result.status === 'rejected')
  if (broken) throw end.signal.aborted ? end.signal.reason : broken.reason
}

/** Runs `work` for each item, `atOnce` at a time. */
export function lanes<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<unknown> {
  const rest = items.values()
  const lane = async () => {
    for (const item of rest) await work(item)
  }
  return Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane))
}

/** Whether an error ends the whole job, not only the transfer of one file. */
export function endsAll(error: unknown): boolean {
  if (isWorthRetrying(error) || error instanceof Exit) return true
  return error instanceof Problem && ofTheJob.includes(error.code)
}

function mayBeLost(error: unknown): boolean {
  return isWorthRetrying(error) || (error instanceof Problem && ofALostJob.includes(error.code))
}

/** `not-joinable` is also the response to a chunk of a tus upload whose job has ended. */
const ofALostJob: readonly ProblemCode[] = ['job-not-found', 'not-running', 'not-joinable', 'job-expired']
const ofTheJob: readonly ProblemCode[] = [...ofALostJob, 'job-stopped', 'not-logged-in', 'not-allowed', 'disk-full']
