import { Exit } from '../exit-codes.js'
import { noProgress, openProgress } from '../progress.js'
import type { Session } from '../session.js'
import type { OwnJob } from '../transfers/own-job.js'
import { openUploadTools } from '../transfers/upload-tools.js'
import { TransferReport } from './transfer-report.js'
import { type TarOnStdin, titleOf, uploadTar } from './upload-tar.js'

/** Uploads the files of the tar on stdin. Returns the exit code of the first failure. */
export async function extractStdin(
  session: Session,
  tar: TarOnStdin,
  job: OwnJob,
  { verbose }: { verbose: boolean },
): Promise<number | undefined> {
  const { context, output } = session
  const title = `Extracted a tar to ${titleOf(tar.prefix)}`
  const report = new TransferReport(output, context.env, { title, verbose, name: tar.prefix })
  const tools = await openUploadTools(session, verbose ? noProgress : await openProgress(output))
  report.beforeText = () => tools.progress.end()
  try {
    await uploadTar(tools, tar, report, job)
  } catch (error) {
    // A transfer that was stopped may fail before the receipt arrives, which then is the summary.
    await job.checkpoint()
    if (job.begun && !(error instanceof Exit)) report.end(job.id)
    throw error
  } finally {
    tools.http.close()
  }
  report.end(job.id)
  return report.exit
}
