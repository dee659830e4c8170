import { jobHeader, tablePath } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError, unreachable } from '../answers.js'
import type { TextTable } from '../rows.js'
import { waitHeaders } from '../wait-option.js'
import { readBody } from './body.js'
import { askFate, nameStopped } from './broken-connection.js'
import { readAnswer, untilResponse } from './exchange.js'
import type { ExportTools } from './export.js'
import type { OwnJob } from './own-job.js'
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
    const body = readBody(response, http.pool)
    job.begun = true
    target = await openTarget()
    progress.begin(table, null)
    let bytes = 0
    for await (const chunk of body) {
      await target.write(chunk, bytes)
      bytes += chunk.length
      progress.advance(chunk.length)
      http.pool.give(chunk)
    }
    await job.checkpoint()
    await target.publish()
    return bytes
  } catch (error) {
    request.destroy()
    if (job.signal.aborted) throw job.signal.reason
    if (!isNetworkError(error)) throw nameStopped(error, 'export', table)
    await askFate(api, job.id)
    throw unreachable(http.server, error)
  } finally {
    progress.end()
    await target?.close()
  }
}
