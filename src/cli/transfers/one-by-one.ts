import { Exit, exitCodeOf, exitCodes, formatFailure } from '../exit-codes.js'
import { signalExits } from '../interrupt.js'
import type { Session } from '../session.js'
import { type Finished, type OwnJob, runOwnJob } from './own-job.js'

/**
 * Runs a job for each item. The first failure sets the exit code and the others still run, unless a job was stopped or
 * Ctrl-C was pressed: a user who stops one does not want the rest. Throws an Exit if several items were given and one
 * failed.
 */
export async function oneByOne<T extends { readonly name: string }>(
  session: Session,
  items: readonly T[],
  work: (item: T, job: OwnJob) => Promise<void>,
  options: { keep?: boolean } = {},
): Promise<void> {
  const { output } = session
  let firstFailure: number | undefined
  for (const [index, item] of items.entries()) {
    const left = items.length - index - 1
    let finished: Finished<void>
    try {
      finished = await runOwnJob(session, (job) => work(item, job), options)
    } catch (error) {
      const stopped = error instanceof Exit || exitCodeOf(error) === exitCodes.stoppedByOther
      if (stopped && left > 0) output.note(`${left} more not begun.`)
      if (stopped || items.length === 1) throw error
      output.error(`${item.name}: ${formatFailure(error, session.context.env)}`)
      firstFailure ??= exitCodeOf(error)
      continue
    }
    if (finished.interruptedBy && left > 0) {
      output.note(`Too late to stop ${item.name}; ${left} more not begun.`)
      throw new Exit(signalExits[finished.interruptedBy])
    }
    if (finished.interruptedBy) output.note(`Too late to stop ${item.name}: it is done.`)
  }
  if (firstFailure !== undefined) throw new Exit(firstFailure)
}
