import { jobHeader, tablePath } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError } from '../answers.js'
import type { TextTable } from '../rows.js'
import { waitHeaders } from '../wait-option.js'
import { readBody } from './body.js'
import { askEnded, wordEnd } from './broken-connection.js'
import { readAnswer, untilResponse } from './exchange.js'
import type { OwnJob } from './own-job.js'
import { waitForSlot } from './slot-wait.js'
import type { Target } from './targets.js'
import type { TransferTools } from './tools.js'

/** Writes all matching rows of a table to a target, atomically. Returns the number of bytes. */
export function exportRows(
  tools: TransferTools,
  wanted: TextTable,
  openTarget: () => Promise<Target>,
  waitSeconds: number | null,
  job: OwnJob,
): Promise<number> {
  return waitForSlot(tools, { name: wanted.table, waitSeconds, signal: job.signal }, (seconds) =>
    exportOnce(tools, wanted, openTarget, seconds, job),
  )
}

async function exportOnce(
  { http, api, progress }: TransferTools,
  { table, query, mediaType }: TextTable,
  openTarget: () => Promise<Target>,
  waitSeconds: number | null,
  job: OwnJob,
): Promise<number> {
  const path = `${tablePath(table, 'rows')}?${new URLSearchParams(query)}`
  const request = http.open('GET', path, { accept: mediaType, ...waitHeaders(waitSeconds), [jobHeader]: job.id })
  let target: Target | undefined
  try {
    job.begun = waitSeconds === null
    request.end()
    const response = await untilResponse(request, job.signal)
    if (response.statusCode !== 200) {
      const { status, body, headers } = await readAnswer(response)
      throw answeredProblem(http.server, status, body, headers)
    }
    const body = readBody(response, http.pool)
    job.begun = true
    target = await openTarget()
    // A part from an earlier run cannot be used: the table may have changed.
    await target.restart(0)
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
    job.signal.throwIfAborted()
    if (isNetworkError(error)) await askEnded(api, job.id)
    throw wordEnd(error, http.server, 'export', table)
  } finally {
    progress.end()
    await target?.close(false)
  }
}
