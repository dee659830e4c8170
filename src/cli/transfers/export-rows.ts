import { jobHeader, tablePath } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError, unreachable } from '../answers.js'
import type { TextTable } from '../rows.js'
import { waitHeaders } from '../wait-option.js'
import { askFate, nameStopped } from './broken-connection.js'
import { readAnswer, untilResponse } from './exchange.js'
import type { ExportTools } from './export.js'
import type { OwnJob } from './own-job.js'
import { receive } from './receive.js'
import type { Target } from './targets.js'

/** Brings all rows of a table that match into a target, whole or not at all. Returns how many bytes they are. */
export async function exportRows(
  { http, api, progress }: ExportTools,
  { table, query, mediaType }: TextTable,
  openTarget: () => Promise<Target>,
  waitSeconds: number | null,
  job: OwnJob,
): Promise<number> {
  const path = `${tablePath(table, 'rows')}?${new URLSearchParams(query)}`
  const request = http.open('GET', path, { accept: mediaType, ...waitHeaders(waitSeconds), [jobHeader]: job.id })
  let target: Target | undefined
  try {
    if (waitSeconds !== null) progress.say(`${table}: waiting for its turn`)
    else job.begun = true
    request.end()
    const response = await untilResponse(request, job.signal)
    if (response.statusCode !== 200) {
      const { status, body, headers } = await readAnswer(response)
      throw answeredProblem(http.server, status, body, headers)
    }
    job.begun = true
    target = await openTarget()
    progress.begin(table, null)
    const { bytes } = await receive(response, target.write, (count) => progress.advance(count))
    await job.checkpoint()
    await target.publish()
    return bytes
  } catch (error) {
    request.destroy()
    if (!isNetworkError(error)) throw nameStopped(error, 'export', table)
    await askFate(api, job.id)
    throw unreachable(http.server, error)
  } finally {
    progress.end()
    await target?.close()
  }
}
