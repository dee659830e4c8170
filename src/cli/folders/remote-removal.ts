import { filePath } from '../../protocol/routes.js'
import { answeredProblem } from '../answers.js'
import { exchange } from '../transfers/exchange.js'
import type { TransferTools } from '../transfers/tools.js'
import { lanes } from './job-attempts.js'
import type { RemoteFile } from './remote-list.js'
import type { TransferReport } from './transfer-report.js'

/** Removes files on the server, several at a time. Ignores missing ones; others fail alone. */
export async function removeRemote(
  { http, progress }: TransferTools,
  files: readonly RemoteFile[],
  report: TransferReport,
  signal: AbortSignal,
): Promise<void> {
  progress.say('removing files that are not here')
  const removing = lanes(files, atOnce, async ({ name, size }) => {
    const { status, body, headers } = await exchange(http.open('DELETE', filePath(name)), signal, emptyBody)
    if (status < 300 || status === 404) report.file({ name, size, status: 'removed' })
    else report.fail(name, answeredProblem(http.server, status, body, headers))
  })
  await removing.finally(() => progress.end())
}

/** Creates folders on the server, several at a time. Ignores existing ones; others fail alone. */
export async function createRemoteFolders(
  { http }: TransferTools,
  names: readonly string[],
  report: TransferReport,
  signal: AbortSignal,
): Promise<void> {
  await lanes(names, atOnce, async (name) => {
    const request = http.open('PUT', filePath(name), { 'content-length': 0 })
    const { status, body, headers } = await exchange(request, signal, emptyBody)
    if (status === 201) report.folder(name, 'new')
    else if (status >= 300) report.fail(name, answeredProblem(http.server, status, body, headers))
  })
}

/**
 * Removes empty folders on the server, several at a time, then those that this has made empty: `findExtra` lists them each
 * time. Ignores folders that are missing or no longer empty; others fail alone.
 */
export async function removeRemoteFolders(
  { http }: TransferTools,
  findExtra: () => Promise<readonly string[]>,
  report: TransferReport,
  signal: AbortSignal,
): Promise<void> {
  const tried = new Set<string>()
  for (;;) {
    const names = (await findExtra()).filter((name) => !tried.has(name))
    if (names.length === 0) return
    await lanes(names, atOnce, async (name) => {
      tried.add(name)
      const request = http.open('DELETE', `${filePath(name)}?empty=true`)
      const { status, body, headers } = await exchange(request, signal, emptyBody)
      if (status < 300) report.folder(name, 'removed')
      else if (status !== 404 && status !== 409) report.fail(name, answeredProblem(http.server, status, body, headers))
    })
  }
}

const emptyBody = async () => {}

const atOnce = 8
