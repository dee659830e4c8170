import { filePath } from '../../protocol/routes.js'
import { answeredProblem } from '../answers.js'
import { exchange } from '../transfers/exchange.js'
import type { TransferTools } from '../transfers/tools.js'
import type { RemoteFile } from './remote-list.js'
import type { TransferReport } from './transfer-report.js'

/** Removes files of the server, several at a time. One that is gone already is no failure; others fail alone. */
export async function removeRemote(
  { http, progress }: TransferTools,
  files: readonly RemoteFile[],
  report: TransferReport,
  signal: AbortSignal,
): Promise<void> {
  progress.say('removing what is not here')
  const rest = files.values()
  const lanes = Array.from({ length: Math.min(atOnce, files.length) }, async () => {
    for (const { name, size } of rest) {
      const { status, body, headers } = await exchange(http.open('DELETE', filePath(name)), signal, async () => {})
      if (status < 300 || status === 404) report.file({ name, size, status: 'removed' })
      else report.fail(name, answeredProblem(http.server, status, body, headers))
    }
  })
  await Promise.all(lanes).finally(() => progress.end())
}

const atOnce = 8
