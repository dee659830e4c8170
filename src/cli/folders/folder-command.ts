import { Exit } from '../exit-codes.js'
import type { Session } from '../session.js'
import { oneByOne } from '../transfers/one-by-one.js'
import type { OwnJob } from '../transfers/own-job.js'

/** Runs a transfer of many files as the only job of a command. Ctrl-C stops it. Throws an Exit if a file failed. */
export async function runFolderCommand(
  session: Session,
  name: string,
  work: (job: OwnJob) => Promise<number | undefined>,
  options: { keep?: boolean } = {},
): Promise<void> {
  let failure: number | undefined
  await oneByOne(
    session,
    [{ name }],
    async (_, job) => {
      failure = await work(job)
    },
    options,
  )
  if (failure !== undefined) throw new Exit(failure)
}
