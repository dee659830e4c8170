import { waitHeaders } from '../../client/transfer-options.js'
import { jobHeader } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError } from '../answers.js'
import { mediaTypes, type WholeRows } from '../rows.js'
import { readBody } from './body.js'
import { askEnded, wordEnd } from './broken-connection.js'
import { readAnswer, untilResponse } from './exchange.js'
import type { OwnJob } from './own-job.js'
import { waitForSlot } from './slot-wait.js'
import type { Target } from './targets.js'
import type { TransferTools } from './tools.js'

/** Writes all rows of a table or query to a target, atomically. Returns the number of bytes. */
export function exportRows(
  tools: TransferTools,
  wanted: WholeRows,
  openTarget: () => Promise<Target>,
  waitSeconds: number | null,
  job: OwnJob,
): Promise<number> {
  return waitForSlot(tools, { name: wanted.title, waitSeconds, signal: job.signal }, (seconds) =>
    exportOnce(tools, wanted, openTarget, seconds, job),
  )
}

async function exportOnce(
  { http, api, progress }: TransferTools,
  { title, path, body: json, format }: WholeRows,
  openTarget: () => Promise<Target>,
  waitSeconds: number | null,
  job: OwnJob,
): Promise<number> {
  const headers = { accept: mediaTypes[format], ...waitHeaders(waitSeconds), [jobHeader]: job.id }
  const request =
    json === undefined
      ? http.open('GET', path, headers)
      : http.open('POST', path, { ...headers, 'content-type': 'application/json' })
  let target: Target | undefined
  try {
    job.begun = waitSeconds === null || json !== undefined
    request.end(json === undefined ? undefined : JSON.stringify(json))
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
    progress.begin(title, null)
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
    throw wordEnd(error, http.server, json === undefined ? 'export' : 'query', title)
  } finally {
    progress.end()
    await target?.close(false)
  }
}
